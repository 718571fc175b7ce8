#!/bin/sh
# Headers that the compiler found join the inputs; so do those it would find next time.
. "${0%/*}/lib.sh"

mkdir -p src inc first
printf '#include "a.h"\nint main(void) { return A - 1; }\n' >src/main.c
echo '#define A 1' >inc/a.h
spec <<'END'
cairn: 1
commands:
  cc:
    each: {src: "src/*.c"}
    run: cc -Ifirst -Iinc -MD -MF ${{ out.depfile }} -c ${{ each.src }} -o ${{ out[0] }}
    inputs: ["${{ each.src }}"]
    depfile: "build/${{ each.src.stem }}.d"
    outputs: ["build/${{ each.src.stem }}.o"]
    tools: [cc]
END

check 'cold' run cc
expect_states 'cc[src=src/main.c] ran'
check 'the depfile is consumed' test ! -e build/main.d
check 'no-op' run cc
expect_states 'cc[src=src/main.c] hit'
touch inc/a.h
check 'header touched' run cc
expect_states 'cc[src=src/main.c] hit'
echo '#define A 2' >inc/a.h
check 'header edited' run cc
expect_states 'cc[src=src/main.c] ran'
echo '#define A 1' >inc/a.h
check 'header edited back' run cc
expect_states 'cc[src=src/main.c] restored'
echo '#define A 3' >first/a.h
check 'a new header shadows the one that was read' run cc
expect_states 'cc[src=src/main.c] ran'
rm first/a.h
check 'and goes again' run cc
expect_states 'cc[src=src/main.c] restored'
rm inc/a.h
refuse 1 'a header that is gone' run cc
expect_states 'cc[src=src/main.c] failed'
check 'leaves the last good object where it was' test -e build/main.o

spec <<'END'
cairn: 1
commands:
  none: {run: echo x > x.out, inputs: [], outputs: [x.out], depfile: x.d}
  gen: {run: echo 1 > gen.h, inputs: [], outputs: [gen.h]}
  reads: {run: "cat gen.h > y.out; echo 'y.out: gen.h' > y.d", inputs: [], outputs: [y.out], depfile: y.d}
END
refuse 1 'a depfile that was not written' run none
check 'a step' run gen
refuse 1 'reading what a step makes that is not needed' run reads
check 'names the line to add' grep -q 'needs: \[gen\]' "$OUT"
finish
