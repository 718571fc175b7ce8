#!/bin/sh
# The JSON Schema and cairn tell the same truth about a spec's structure: both accept what is good and both
# refuse what is structurally wrong. What takes meaning to see (a cycle, a clash, an unknown name) cairn alone
# refuses. The first line of a broken spec says which it is: "# structural", "# semantic", "# planned"
# (semantic, and seen only when it is planned); "# expect: LINE:COL TEXT" lines say where and what.
. "${0%/*}/lib.sh"

cat >schema.py <<'END'
import json, re, sys
import jsonschema, yaml

class Core(yaml.SafeLoader):
    """YAML 1.2's core schema: yes, on and dates are texts."""
    yaml_implicit_resolvers = {}

for tag, pattern, first in [
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", "-+0123456789"),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
     "-+.0123456789"),
]:
    Core.add_implicit_resolver("tag:yaml.org,2002:" + tag, re.compile("^(?:" + pattern + ")$"), first)
Core.add_implicit_resolver("tag:yaml.org,2002:merge", re.compile("^<<$"), ["<"])
Core.add_constructor("tag:yaml.org,2002:int", lambda loader, node:
                     int(node.value, 0 if node.value[:2] in ("0x", "0o") else 10))

validator = jsonschema.Draft7Validator(json.load(open(sys.argv[1])))
jsonschema.Draft7Validator.check_schema(validator.schema)
for path in sys.argv[2:]:
    try:
        wrong = next(validator.iter_errors(yaml.load(open(path), Core)), None)
    except yaml.YAMLError as e:
        wrong = e
    print(path, "refused" if wrong else "accepted")
END

specs=$top/t/spec
examples=$(find "$top/examples" -name cairn.yaml 2>/dev/null)
/usr/bin/python3 -W ignore schema.py "$top/schemas/cairn.schema.json" \
	"$specs"/good/*.yaml "$specs"/broken/*.yaml $examples >verdicts
result $? 'the schema is one' verdicts

schema() { grep -qxF "$1 $2" verdicts; }
placed() {      # every place that the broken spec $1 expects is in what cairn said
	sed -n 's/^# expect: \([0-9:]*\) .*/\1/p' "$1" >places
	while read -r place; do
		grep -q "${1##*/}:$place\|\.env:" "$OUT" || return 1
	done <places
	test -s places || grep -q "${1##*/}:[0-9]*:[0-9]" "$OUT"
}
for file in "$specs"/good/*.yaml $examples; do
	check "schema: ${file#"$top/"} is good" schema "$file" accepted
done
for good in minimal json includes; do
	check "cairn: t/spec/good/$good.yaml is good" cairn check -f "$specs/good/$good.yaml"
done
for file in $examples; do
	check "cairn: ${file#"$top/"} is good" cairn -C "${file%/*}" check
done
for file in "$specs"/broken/*.yaml; do
	broken=${file##*/}
	read -r _ kind <"$file"
	case $kind in
	structural) check "schema refuses $broken" schema "$file" refused ;;
	*) check "schema can't see $broken" schema "$file" accepted ;;
	esac
	refuse 2 "cairn refuses $broken" cairn check -f "$file"
	check "$broken: it says where" placed "$file"
done
finish
