#!/bin/sh
# cairn list and cairn check: what there is, and what is wrong with it.
. "${0%/*}/lib.sh"

touch a.x b.x
spec <<'END'
cairn: 1
name: shop
commands:
  each-one:
    summary: One for each
    each: {f: "*.x"}
    run: "true"
  greet:
    params: {who: {default: world, help: whom to greet}, how: {help: in which way}}
    run: echo "$how $who"
  plain: {run: "true"}
workflows:
  default: {steps: [plain]}
  ci: {summary: All of it, steps: [each-one], finally: [plain]}
END
cairn list >list 2>&1
check 'commands are listed' grep -q '^  plain' list
check 'with summaries and how many steps there are' grep -q 'each-one .*One for each.*2 steps' list
check 'workflows' grep -q '^  ci .*All of it' list
check 'params with their defaults' grep -q -- '--who=world .*whom to greet' list
check 'and those that must be given' grep -q -- '--how=.*required' list
check 'no steps' not grep -q 'f=a.x' list
check 'but when asked for' sh -c 'cairn list --steps | grep -qF "each-one[f=a.x]"'
cairn list --json >list.json
cat >look.py <<'END'
import json
l = json.load(open("list.json"))
assert l["name"] == "shop"
c = {c["name"]: c for c in l["commands"]}
assert c["each-one"]["count"] == 2 and c["each-one"]["summary"] == "One for each" and c["each-one"]["line"] == 4, c
assert [p["name"] for p in c["greet"]["params"]] == ["who", "how"] and c["greet"]["params"][1]["required"], c
assert [w["name"] for w in l["workflows"]] == ["default", "ci"], l
END
check 'as JSON' /usr/bin/python3 look.py
cairn list --json --steps >list.json
check 'with steps' grep -qF '"steps":["each-one[f=a.x]","each-one[f=b.x]"]' list.json
check 'JSON is one line' sh -c 'test "$(wc -l <list.json)" = 1'

check 'a sound spec' cairn check
check 'is ok, and counted' sh -c 'cairn check | grep -q "^ok: 3 commands, .* steps*, 2 workflows"'
check 'checking leaves no state behind' test ! -e "$XDG_STATE_HOME"

spec <<'END'
cairn: 1
commands:
  a: {rum: "true"}
  b: {run: "true", needs: [c]}
  d: {run: "true", timeout: soon}
END
refuse 2 'mistakes' cairn check
check 'are all told at once, each with its place' \
	sh -c 'for at in 3:7 4:28 5:29; do grep -q "cairn.yaml:$at" "$0" || exit 1; done' "$OUT"
check 'with the line and a caret' grep -q '^ *^$' "$OUT"
spec <<'END'
cairn: 1
commands:
  a: {run: "true", needs: [b]}
  b: {run: "true", needs: [a]}
END
refuse 2 'a cycle is found' cairn check
spec <<'END'
cairn: 1
commands:
  a: {run: "true", inputs: ["*.none"]}
END
refuse 2 'so is a glob that matches nothing' cairn check
: >cairn.yaml
refuse 2 'an empty spec' cairn check
printf 'cairn: 1\ncommands: {}\n' >cairn.yaml
check 'no commands are no mistake' cairn list
finish
