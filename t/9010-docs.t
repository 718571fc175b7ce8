#!/bin/sh
# The documentation is true: console blocks show what the program says, the man pages name every option and every
# field, and links lead somewhere.
. "${0%/*}/lib.sh"

# A console block holds "$ COMMAND" lines, each followed by what it prints on both streams. The blocks of a page are
# one session in a folder with examples/ in it, one job at a time. Times and dates are not compared.
session() {     # PAGE >EXPECTED
	awk '/^```console$/ { on = 1; next } /^```/ { on = 0 } on' "$1"
}
as_script() {   # says each command before it runs it
	sed -n 's/^\$ //p' | while IFS= read -r line; do
		printf 'cat <<"END OF COMMAND"\n$ %s\nEND OF COMMAND\n%s\n' "$line" "$line"
	done
}
without_times() {
	sed -E 's/[0-9]+\.[0-9]+ ?s( |$)/TIME\1/g; s/[0-9]+ ms/TIME/g; s/20[0-9]{2}-[0-9-]+ [0-9:]{8}/DATE/g'
}
plays() {       # PAGE
	session "$1" | without_times >"$T/expected"
	session "$1" | as_script >"$T/script"
	rm -rf "$T/play" && mkdir "$T/play" && cp -r "$top/examples" "$T/play" || return
	(cd "$T/play" && CAIRN_JOBS=1 sh "$T/script") 2>&1 | without_times >"$T/found"
	diff -u --label page --label program "$T/expected" "$T/found"
}
links() {       # PAGE: those that lead to no file
	grep -oE '\]\([^)#]+' "$1" | sed 's/^](//' | grep -v '^https\?:' | while read -r link; do
		test -e "${1%/*}/$link" || echo "$link"
	done >"$T/dead"
	cat "$T/dead"
	test ! -s "$T/dead"
}
files() {       # PAGE: names of files in `` that there are not
	grep -oE '`[a-z0-9/._-]+\.(c|h|t|md|json|sh|yaml)`' "$1" | tr -d '`' | sort -u | while read -r file; do
		test -e "$top/$file" || find "$top/src" "$top/runtimes" "$top/cache" "$top/generators" "$top/schemas" "$top/t" "$top/doc" \
			-path "*/$file" | grep -q . || echo "$file"
	done | grep -vx 'cairn.yaml' >"$T/lost"
	cat "$T/lost"
	test ! -s "$T/lost"
}
for page in "$top"/README.md "$top"/doc/*.md "$top"/t/*/README.md; do
	short=${page#"$top"/}
	grep -q '^```console$' "$page" && check "$short: its sessions go as it shows" plays "$page"
	check "$short: its links lead somewhere" links "$page"
	check "$short: the files it names are there" files "$page"
done
check 'README.md has a session' grep -q '^```console$' "$top/README.md"

printf 'A page.\n```console\n$ echo "it'"'"'s 0.5 s"\nit'"'"'s 0.1 s\n$ false || echo no\nno\n```\n' >page.md
check 'a session that is true' plays "$T/w/page.md"
echo '```console
$ echo yes
no
```
[here](there.md)' >page.md
check 'a session that is not' not plays "$T/w/page.md"
check 'a dead link' not links "$T/w/page.md"
echo '`main.c` and `nowhere.c`' >page.md
refuse 1 'a file that is not there' files "$T/w/page.md"
check 'is named' test "$(cat "$OUT")" = nowhere.c

# Options: what each command's --help lists is what the man page says, and the other way round.
cat >options.py <<'END'
import re, subprocess, sys
page = open(sys.argv[1]).read()
documented, common, plan = {}, set(), set()
into = None
for line in page.split("\n"):
    if line.startswith(".Ss "):
        into = common if "all commands" in line else plan
    elif line.startswith(".Sh "):
        into = None
    command = re.match(r"\.It Nm Cm (\w+)", line)
    if command:
        into = documented.setdefault(command[1], set())
    if line.startswith(".It ") and into is not None:
        into |= {o[1:] if o.startswith("-") else o for o in re.findall(r"Fl (-?\w[\w-]*)", line)} - {"param"}
faults = []
def listed(command):
    text = subprocess.run(["cairn", "help", command], capture_output=True, text=True, check=True).stdout
    return {o for line in text.split("\n") for o in re.findall(r"(?:^ +|, )--?(\w[\w-]*)", line[:30]) if line.startswith("  ")}
commands = re.findall(r"^  (\w+)  ", subprocess.run(["cairn", "help"], capture_output=True, text=True).stdout, re.M)
faults += [f"{c}: not in the page" for c in commands if c not in documented]
faults += [f"{c}: no such command" for c in documented if c not in commands]
for c in commands:
    said, has = documented.get(c, set()) | common, listed(c)
    if "var" in has:
        said |= plan
    faults += [f"{c}: option {o} is not in the page" for o in has - said]
    faults += [f"{c}: there is no option {o}" for o in said - has]
print("\n".join(sorted(faults)))
sys.exit(bool(faults) or len(commands) < 10)
END
check 'cairn.1 tells every command and option, and no other' /usr/bin/python3 options.py "$top/doc/cairn.1"
sed -e '/^\.It Fl k/d' -e 's/^\.It Fl -status$/.It Fl -statsu/' "$top/doc/cairn.1" >page.1
refuse 1 'a page that lacks one and misspells one' /usr/bin/python3 options.py page.1
check 'names them' test "$(grep -c -e keep-going -e statsu -e status "$OUT")" -ge 2

# Fields: those of each place of the schema stand in the section that tells of it, and the other way round.
cat >fields.py <<'END'
import json, re, sys
schema, page = json.load(open(sys.argv[1])), open(sys.argv[2]).read()
sections = dict(re.findall(r"^\.Sh ([A-Z ]+)\n(.*?)(?=^\.Sh |\Z)", page, re.M | re.S))
faults = []
def items(section):
    return {f for line in re.findall(r"^\.It Ic (.+)$", sections[section], re.M) for f in re.findall(r"\w+", line)}
def names(node):        # every property below
    if isinstance(node, list):
        return set().union(*map(names, node)) if node else set()
    if not isinstance(node, dict):
        return set()
    found = set(node["properties"]) if isinstance(node.get("properties"), dict) else set()
    return found.union(*[names(v) for v in node.values()])
d = schema["definitions"]
for place, fields, section in (("the file", schema["properties"], "THE FILE"),
                               ("a command", d["command"]["properties"], "COMMANDS"),
                               ("a workflow", d["workflow"]["properties"], "WORKFLOWS")):
    faults += [f"{place}: {f} is in the schema and not in the page" for f in set(fields) - items(section)]
    faults += [f"{place}: {f} is in the page and not in the schema" for f in items(section) - set(fields)]
words = set(re.findall(r"\w+", page))
faults += [f"{f} is nowhere in the page" for f in names(schema) - words]
defaults = re.search(r"^\.It Ic defaults\n.*?^\.It ", sections["THE FILE"], re.M | re.S)[0]
faults += [f"defaults: {f} is not in the page" for f in schema["properties"]["defaults"]["properties"]
           if not re.search(rf"\b{f}\b", defaults)]
print("\n".join(sorted(faults)))
sys.exit(bool(faults))
END
check 'cairn-spec.5 tells every field, and no other' \
	/usr/bin/python3 fields.py "$top/schemas/cairn.schema.json" "$top/doc/cairn-spec.5"
sed -e 's/^\.It Ic depfile/.It Ic depfiles/' "$top/doc/cairn-spec.5" >page.5
refuse 1 'a page with a misspelled field' /usr/bin/python3 fields.py "$top/schemas/cairn.schema.json" page.5
check 'names it' grep -q 'depfiles' "$OUT"

# Keys: no tag of a manifest without a line about it.
tags() { # of SOURCE: the literal texts of the calls that write a field, less its values, which are in S()
	grep -E '(manifest_field|words_add|entry_add)\(' "$top/$1" | sed 's/S("[^"]*")//g' |
		grep -oE '"[a-z_ ]+"' | tr -d '"' | sort -u
}
untold() { # SOURCE PAGE TAGS: there are more than so many
	tags "$1" | while read -r tag; do grep -q "\`$tag\`" "$top/doc/$2" || echo "$tag"; done >"$T/untold"
	cat "$T/untold"
	test ! -s "$T/untold" && test "$(tags "$1" | wc -l)" -gt "$3"
}
check 'cache-keys.md tells every tag of a manifest' untold src/plan/key.c cache-keys.md 10
check 'containerfiles.md tells those of an image' untold src/resolve/contextkey.c containerfiles.md 7

command -v mandoc >/dev/null && for page in "$top"/doc/*.[1-9]; do
	check "${page##*/} is sound mdoc" mandoc -T lint -W warning "$page"
done
finish
