#!/bin/sh
# cairn generate compile_commands: what compiles, and only what can be told for certain.
. "${0%/*}/lib.sh"

spec <<'END'
cairn: 1
vars: {flags: [-O1, -DA=1]}
commands:
  plain: {each: {f: "src/*.c"}, run: 'gcc ${{ vars.flags }} -Iinc -c ${{ sh(each.f) }} -o ${{ sh(out[0]) }}', inputs: ["${{ each.f }}"], outputs: ["out/${{ each.f.stem }}.o"]}
  words: {exec: [gcc, -c, src/a.c, -o, "out/sp ace.o"], inputs: [src/a.c], outputs: ["out/sp ace.o"]}
  env:
    env: {CC: "gcc -O2", FLAGS: "-DNAME='x' -g", DEF: 'a "b" c'}
    workdir: src
    run: |
      mkdir -p ../out  # gcc -c no.c
      echo gcc -c other.c
      $CC ${FLAGS} "-DTEXT=$DEF" \
        -c a.c -o ../out/env.o && ls ../out >/dev/null
    inputs: []
    outputs: [out/env.o]
  unclear: {run: 'gcc -c src/*.c; gcc $(echo -c) src/a.c', inputs: []}
  moved: {run: 'cd src; gcc -c a.c', inputs: []}
  link: {run: 'gcc -o app out/a.o src/a.c', inputs: []}
  python: {interpreter: python3, run: "gcc = 1\n", inputs: []}
END
mkdir -p src inc
echo 'int a;' >src/a.c
echo 'int b;' >'src/b c.c'
check 'is written' sh -c 'cairn generate compile_commands -o compile_commands.json 2>notes'
cat >look.py <<'END'
import json, os, subprocess, sys
found = json.load(open("compile_commands.json"))
print(" ".join(sorted(f"{e['file']}:{e['output']}".replace(" ", "_") for e in found)))
if sys.argv[1:] == ["run"]:
    os.makedirs("out", exist_ok=True)
    for e in found:
        subprocess.run(e["arguments"], cwd=e["directory"], check=True)
END
check 'each source once for each step' test "$(python3 look.py)" = "a.c:../out/env.o src/a.c:out/a.o src/a.c:out/sp_ace.o src/b_c.c:out/b_c.o"
check 'what only a shell can tell is named' sh -c 'grep -q "unclear compiles" notes && grep -q "moved compiles" notes'
check 'nothing else is' test "$(wc -l <notes)" = 2
check 'cairn compiles' sh -c 'cairn run -q plain words env && mv out want'
check 'what the entries say, run' python3 look.py run
for o in a.o 'b c.o' 'sp ace.o' env.o; do
	same "out/$o" "want/$o"
done
finish
