#!/bin/sh
# Settings: layers, origins, mistakes.
. "${0%/*}/lib.sh"

mkdir -p "$XDG_CONFIG_HOME/cairn"
file=$XDG_CONFIG_HOME/cairn/config.yaml
config() { cat >"$file"; }
value() {       # KEY VALUE ORIGIN: what cairn config says
	cairn config --json | grep -qF "{\"key\":\"$1\",\"value\":\"$2\",\"origin\":\"$3\"" || { cairn config; return 1; }
}

check 'defaults' value jobs auto default
check 'of the cache' value cache.dir "$XDG_CACHE_HOME/cairn" default
printf '%s\n' 'jobs: 3' 'tags: [gpu, "big"]' 'cache: {max_size: 1.5g, max_age: 30d}' | config
check 'a number from a file' value jobs 3 user
check 'a list' value tags 'gpu big' user
check 'a nested value' value cache.max_size 1.5g user
check 'its line is told' sh -c 'cairn config | grep -q "config.yaml:3"'
check 'the environment wins' env CAIRN_JOBS=5 sh -c 'cairn config --json | grep -q "\"value\":\"5\",\"origin\":\"environment\",\"where\":\"CAIRN_JOBS\""'
check 'an empty variable is none' env CAIRN_JOBS= sh -c 'cairn config --json | grep -q "\"value\":\"3\",\"origin\":\"user\""'
check 'an older spelling' env CAIRN_MAX_CONCURRENT=7 sh -c 'cairn config | grep -q "^jobs *= 7 "'
check 'loses against the new one' env CAIRN_MAX_CONCURRENT=7 CAIRN_JOBS=8 sh -c 'cairn config | grep -q "^jobs *= 8 "'
printf 'capabilities: [a]\n' | config
check 'capabilities are tags' value tags a user
printf 'capabilities: [a]\ntags: [b]\n' | config
check 'unless there are tags' value tags b user
printf 'cache: {dir: ~/c}\n' | config
check 'the home is known' cairn config
check 'and the cache is there' sh -c 'cairn cache | grep -q "^folder *$HOME/c$"'

printf 'jobs: many\nrutime: native\ncache: {max_size: big, size: 3}\n' | config
refuse 2 'mistakes' cairn config
check 'each has its place' sh -c 'for at in 1:7 2:1 3:19 3:24; do grep -q "config.yaml:$at" "$0" || exit 1; done' "$OUT"
check 'near misses are suggested' grep -q "'runtime'" "$OUT"
printf 'container_engine: podman\n' | config
check 'an engine from a file' value container_engine podman user
check 'and from the environment' env CAIRN_CONTAINER_ENGINE=unix:///x sh -c 'cairn config | grep -q "^container_engine *= unix:///x "'
refuse 2 'none' env CAIRN_CONTAINER_ENGINE=lxc cairn config
check 'is told what there is' grep -q 'podman' "$OUT"
printf 'insecure_registries: [example.org, "r.example.org:5000"]\n' | config
check 'registries from a file' value insecure_registries 'example.org r.example.org:5000' user
refuse 2 'what is no registry' env CAIRN_INSECURE_REGISTRIES='example.org https://x' cairn config
check 'is named' grep -q "'https://x' is no registry" "$OUT"
printf 'kubernetes: {}\n' | config
refuse 2 'a setting that is still to come' cairn config
check 'is called that' grep -q 'not built yet' "$OUT"
printf 'jobs: [1\n' | config
refuse 2 'malformed YAML' cairn config
printf '[]\n' | config
refuse 2 'a list instead of a map' cairn config
: >"$file"
check 'an empty file' cairn config
refuse 2 'a wrong variable' env CAIRN_CACHE_MAX_AGE=old cairn config
check 'is named' grep -q CAIRN_CACHE_MAX_AGE "$OUT"
refuse 2 'a relative cache folder' env CAIRN_CACHE_DIR=here cairn config

cat >agree.py <<'END'
import json, subprocess, sys
import jsonschema
schema = json.load(open(sys.argv[1]))
tries = [{}, {"jobs": 3}, {"jobs": "auto"}, {"jobs": "many"}, {"jobs": -1}, {"max_concurrent": 2}, {"runtime": "native"},
         {"runtime": "magic"}, {"tags": ["a", "b"]}, {"insecure_registries": ["a.org", "b.org:80"]}, {"insecure_registries": ["a b"]}, {"tags": ["a b"]}, {"tags": "a"}, {"container_engine": "podman"}, {"container_engine": "auto"},
         {"container_engine": "Docker"}, {"container_engine": "unix:///run/x.sock"}, {"container_engine": "/run/x.sock"},
         {"container_engine": "/"}, {"container_engine": "npipe:////./pipe/x"}, {"container_engine": "ssh://"}, {"container_engine": None},
         {"container_engine": "tcp://[::1]:2375"}, {"container_engine": ["podman"]}, {"capabilities": ["x"]},
         {"cache": {"dir": "/x"}}, {"cache": {"dir": "x"}}, {"cache": {"dir": "~/x"}}, {"cache": {"max_size": 0}},
         {"cache": {"max_size": "10g"}}, {"cache": {"max_size": "10 g"}}, {"cache": {"max_size": "1.5GiB"}},
         {"cache": {"max_size": "10x"}}, {"cache": {"max_age": "30d"}}, {"cache": {"max_age": "soon"}}, {"cache": []},
         {"cache": {"size": 1}}, {"job": 3}, {"cache": None}, {"jobs": None}, {"jobs": [1]}, [], "x"]
wrong = 0
for t in tries:
    with open(sys.argv[2], "w") as f:
        json.dump(t, f)
    ours = subprocess.run(["cairn", "config"], capture_output=True).returncode == 0
    try:
        jsonschema.validate(t, schema)
        theirs = True
    except jsonschema.ValidationError:
        theirs = False
    if ours != theirs:
        wrong += 1
        print("cairn", ours, "schema", theirs, t)
sys.exit(wrong != 0)
END
check 'the schema tells the same' /usr/bin/python3 agree.py "$top/schemas/config.schema.json" "$file"
rm "$file"
spec <<'END'
cairn: 1
commands: {a: {run: "true", inputs: [], outputs: []}}
END
refuse 2 'an engine on the command line that is none' cairn plan --engine=lxc a
check 'is told by its option' grep -q -- '--engine' "$OUT"
check 'one that is needs not be there where nothing runs in it' cairn plan --engine=unix:///nowhere a
finish
