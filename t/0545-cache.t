#!/bin/sh
# cairn cache: stats, gc, verify, clear, get.
. "${0%/*}/lib.sh"

field() { cairn cache $1 --json >"$T/json" && sed -nE "s/.*\"$2\":([0-9]+).*/\1/p" "$T/json"; }

check 'an empty cache' sh -c 'cairn cache | grep -q "nothing is kept"'
check 'needs no workspace' sh -c 'cd / && cairn cache stats'
spec <<'END'
cairn: 1
commands:
  make: {each: {n: [1, 2, 3]}, run: 'head -c 100000 /dev/zero | tr "\0" ${{ each.n }} >${{ out[0] }}', inputs: [], outputs: ['${{ each.n }}.out']}
END
run make >/dev/null 2>\&1
check 'results are counted' test "$(field stats records)" = 3
check 'so are blobs' test "$(field stats blobs)" -ge 3
check 'and bytes' test "$(field stats bytes)" -gt 250000
check 'it is whole' cairn cache verify
check 'everything was read' test "$(field verify records)" = 3

digest=sha256:$(sha256sum <1.out | cut -d' ' -f1)
cairn cache get "$digest" >got
same got 1.out
check 'into a file' cairn cache get "$digest" -o got2
same got2 1.out
echo before >got3
cairn cache get "$digest" >>got3
check 'appended to what was there' sh -c 'head -c 7 got3 | grep -qx before && test "$(wc -c <got3)" = 100007'
refuse 3 'an existing file' cairn cache get "$digest" -o got2
refuse 2 'a digest that is not there' cairn cache get "sha256:$(printf %064d 0)"
refuse 2 'what is no digest' cairn cache get xyz
refuse 2 'no digest' cairn cache get

check 'a young cache keeps all' cairn cache gc
check 'that is' test "$(field stats records)" = 3
aged() { find "$XDG_CACHE_HOME/cairn" -type f -exec touch -d '3 days ago' {} +; }
aged
check 'by age' cairn cache gc --max-age=1d
check 'nothing is left' test "$(field stats records)" = 0
rm -f ./*.out
run make >/dev/null 2>\&1
expect_states 'make[n=1] ran' 'make[n=2] ran' 'make[n=3] ran'
aged
check 'by size' cairn cache gc --max-size=220k
check 'it is small then' test "$(field stats bytes)" -le 225280

rm -f ./*.out
run make >/dev/null 2>\&1
blob=$(find "$XDG_CACHE_HOME/cairn" -type f -size +90k | head -1)
chmod u+w "$blob"
printf X | dd of="$blob" conv=notrunc bs=1 seek=5 2>/dev/null
refuse 1 'damage is found' cairn cache verify
check 'once: it was removed' cairn cache verify
rm -f ./*.out
check 'and made good' run make
check 'by running' sh -c 'for i in 1 2 3; do test "$(wc -c <$i.out)" = 100000 || exit 1; done'

check 'clear' cairn cache clear
check 'empties it' test "$(field stats records)" = 0
refuse 2 'an unknown action' cairn cache stat
check 'is suggested' grep -q stats "$OUT"
refuse 2 'limits belong to gc' cairn cache stats --max-size=1g
refuse 2 'a size' cairn cache gc --max-size=much
refuse 2 'too many words' cairn cache gc now
finish
