#!/bin/sh
# cairn graph: the same steps and needs in every form, and a picture in which nothing lies on another.
. "${0%/*}/lib.sh"

spec <<'END'
cairn: 1
commands:
  gen: {summary: Write <a> & "b", run: echo g >g.h, inputs: [], outputs: [g.h]}
  comp: {each: {f: "src/*"}, needs: [{step: gen, order_only: true}], run: 'cp ${{ sh(each.f) }} ${{ sh(out[0]) }}', inputs: ["${{ each.f }}"], outputs: ["o/${{ each.f.name }}"]}
  link: {needs: [comp], run: cat o/* >app, inputs: [], outputs: [app]}
  test: {matrix: {axes: {k: ['a"b', "</script>", "x\\y"]}}, needs: [link], run: "true", inputs: []}
  pack: {needs: [link, gen], run: echo p >pack, inputs: [], outputs: [pack]}
  off: {needs: [pack], run: "true", when: '${{ os == "none" }}', inputs: []}
  alone: {run: "true", inputs: []}
END
mkdir src
for i in $(seq 60); do echo $i >src/f$i; done
cat >look.py <<'END'
import json, re, sys, xml.dom.minidom, jsonschema
form, want = sys.argv[1], json.load(open("graph.json"))
jsonschema.validate(want, json.load(open(sys.argv[2])))
names = [s["step"] for s in want["steps"]]
edges = sorted((names.index(e["from"]), names.index(e["to"]), e.get("order_only", False)) for e in want["edges"])
text = open("graph." + form, encoding="utf-8").read()
if form == "dot":
    nodes = [json.loads(m) for m in re.findall(r'^  s\d+ \[label=("(?:[^"\\]|\\.)*")', text, re.M)]
    found = sorted((int(a), int(b), bool(s)) for a, b, s in re.findall(r"^  s(\d+) -> s(\d+)( \[style=dashed\])?;$", text, re.M))
elif form == "mmd":
    nodes = [re.sub(r"#(\d+);", lambda c: chr(int(c[1])), m) for m in re.findall(r'^  s\d+\["([^"]*)"\]', text, re.M)]
    found = sorted((int(a), int(b), arrow == "-.->") for a, arrow, b in re.findall(r"^  s(\d+) (-->|-\.->) s(\d+)$", text, re.M))
else:
    if form == "html":
        plan = json.loads(re.search(r"const plan=(.*);$", text, re.M)[1])
        assert [s["step"] for s in plan["steps"]] == names and sorted(map(tuple, plan["edges"])) == [e[:2] for e in edges]
        assert text.count("</script>") == 1 and not re.search(r"(src|href)=|@import|https?://(?!www\.w3\.org)", text)
        text = text[text.index("<svg"):text.index("</svg>") + 6]
    svg = xml.dom.minidom.parseString(text.encode())
    box = lambda r: tuple(float(r.getAttribute(k)) for k in ("x", "y", "width", "height"))
    apart = lambda a, b: a[0] + a[2] <= b[0] or b[0] + b[2] <= a[0] or a[1] + a[3] <= b[1] or b[1] + b[3] <= a[1]
    cells = {g.getAttribute("id"): g for g in svg.getElementsByTagName("g") if g.getAttribute("id")}
    frames = [box(r) for r in svg.getElementsByTagName("rect") if r.getAttribute("class") == "frame"]
    rects = [box(g.getElementsByTagName("rect")[0]) for g in cells.values()]
    for boxes in (frames, rects):
        assert all(apart(a, b) for i, a in enumerate(boxes) for b in boxes[:i]), "two boxes meet"
    assert all(any(f[0] <= r[0] and f[1] <= r[1] and f[0] + f[2] >= r[0] + r[2] and f[1] + f[3] >= r[1] + r[3] for f in frames) for r in rects)
    nodes = [cells[f"s{i}"].getElementsByTagName("title")[0].firstChild.data.split("\n")[0] for i in range(len(cells))]
    found = edges
assert nodes == names, (nodes, names)
assert found == edges, (found, edges)
print(len(nodes), len(edges))
END
for form in json dot mmd svg html; do
	check "$form is written" cairn graph -o graph.$form
done
cairn graph --format=json | cmp - graph.json
result $? 'on standard output, too' /dev/null
for form in dot mmd svg html; do
	check "$form has all steps and needs" /usr/bin/python3 look.py $form "$top/schemas/graph.schema.json"
done

check 'a run' cairn run -q gen comp link test pack off alone
echo changed >src/f7
for form in json svg; do cairn graph --status -o graph.$form; done
states() { grep -o '"status":"[a-z-]*"' graph.json | sort | uniq -c | awk '{ printf "%s ", $1 $2 }'; }
check 'states are those of a plan' test "$(states)" = '61"status":"hit" 5"status":"pending" 1"status":"skipped" 1"status":"would-run" '
check 'and reasons' grep -q '"step":"comp\[f=src/f7\]".*"would-run","reason":"input src/f7: content changed"' graph.json
check 'the picture has them' sh -c "grep -c 'class=\"cell would-run\" id' graph.svg | grep -qx 1"
check 'with all in place' /usr/bin/python3 look.py svg "$top/schemas/graph.schema.json"

near() { cairn graph --format=json "$@" | grep -o '"step":"[^"]*"' | cut -d'"' -f4 | tr '\n' ' '; }
check 'focus: all around' test "$(near --focus pack)" = "$(near --focus pack --depth 9)"
check 'focus: one step away' test "$(near --focus pack --depth 1)" = 'gen link pack off '
check 'focus: the step alone' test "$(near --focus 'comp[f=src/f7]' --depth 0)" = 'comp[f=src/f7] '
check 'focus: what is beside is left out' sh -c "! cairn graph --focus 'comp[f=src/f7]' --format=json | grep -q 'f=src/f8'"
check 'goals' test "$(near alone)" = 'alone '
rm -rf src o
mkdir src
echo x >"src/$(printf 'b\377d \303\274')"
check 'a name that is no UTF-8' sh -c 'cairn graph -o graph.svg && cairn graph -o graph.html'
check 'makes a sound picture' /usr/bin/python3 -c 'import xml.dom.minidom as m; m.parse("graph.svg"); open("graph.html", encoding="utf-8").read()'
refuse 2 'an unknown step' cairn graph --focus none
refuse 2 'an unknown form' cairn graph --format pdf
finish
