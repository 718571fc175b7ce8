#!/bin/sh
# cairn cache export and import: a warm pipeline elsewhere runs only what is affected; what is damaged or forged is dropped entry by
# entry, and nothing half is ever taken.
. "${0%/*}/lib.sh"

field() { sed -nE "s/.*\"$1\":([0-9]+).*/\1/p" "$T/json"; }
# another home, as another machine has it
elsewhere() {
	export XDG_CACHE_HOME="$T/$1/cache" XDG_STATE_HOME="$T/$1/state" HOME="$T/$1"
	mkdir -p "$HOME"
}
kinds() { states | sed 's/.* //' | sort | uniq -c | tr -s ' \n' ' '; }

# --- a pipeline of a hundred steps, three of which are affected ---
mkdir -p one/src && cd one
spec <<'END'
cairn: 1
commands:
  cc: {each: {src: "src/*.c"}, run: "gcc -MD -MF ${{ out.depfile }} -c ${{ each.src }} -o ${{ out[0] }}", inputs: ["${{ each.src }}"],
       depfile: "o/${{ each.src.stem }}.d", outputs: ["o/${{ each.src.stem }}.o"], tools: [gcc]}
  ar: {needs: [cc], run: "rm -f lib.a; ar rcsD lib.a o/*.o", inputs: ["o/*.o"], outputs: [lib.a], tools: [ar]}
  test: {needs: [ar], run: "test -s lib.a; echo tested", inputs: []}
END
echo 'int shared;' >src/all.h
for i in $(seq 98); do echo "#include \"all.h\"
int f$i(void) { return $i; }" >"src/f$i.c"; done
check 'a hundred steps' run ar test
check 'all run' test "$(kinds)" = ' 100 ran '
check 'what was made is exported' sh -c 'cairn cache export ../bundle --json >"$1"' sh "$T/json"
check 'all records, and what depfiles told' test "$(field records)" = 198
cairn cache export ../again >/dev/null
same ../bundle ../again

cp -r ../one "$T/two" && cd "$T/two" && rm -rf o lib.a
elsewhere b
check 'and imported elsewhere' sh -c 'cairn cache import "$1/w/bundle" --json >"$1/json"' sh "$T"
check 'nothing is dropped' test "$(field records):$(field dropped)" = 198:0
echo 'int f7(void) { return -7; }' >src/f7.c
check 'where one source is another' run ar test
check 'three of a hundred steps run' test "$(kinds)" = ' 3 ran 97 restored '
check 'imported again' sh -c 'cairn cache import "$1/w/bundle" --json >"$1/json"' sh "$T"
check 'nothing is new' test "$(field records):$(field known)" = 0:198
check 'what this run used' sh -c 'cairn cache export used --max-age=1d --json >"$1/json"' sh "$T"
check 'is told from what was imported and not used' test "$(field records)" -lt 204
elsewhere c
cairn cache import used >/dev/null && rm -rf o lib.a
check 'and is enough for the same again' run ar test
check 'without running' test "$(kinds)" = ' 1 hit 99 restored '

# --- what is not whole ---
cd "$T/w"
elsewhere d
check 'from standard input' sh -c 'cat bundle | cairn cache import - | grep -q "imported 198"'
cairn cache clear >/dev/null
size=$(wc -c <bundle)
head -c $((size / 2)) bundle >cut
refuse 3 'a bundle that was cut off' cairn cache import cut
check 'leaves a sound cache' cairn cache verify
zstd -dqc bundle >bundle.tar
head -c $(($(wc -c <bundle.tar) - 1536)) bundle.tar >cut.tar
refuse 3 'also before its end' cairn cache import cut.tar
check 'is told' grep -q 'early' "$OUT"
check 'and sound' cairn cache verify
for i in 1 2 3 4 5 6 7 8; do
	cp bundle.tar hurt.tar
	printf 'garbage%s' $i | dd of=hurt.tar bs=1 seek=$((i * $(wc -c <bundle.tar) / 9)) conv=notrunc 2>/dev/null
	cairn cache import hurt.tar >/dev/null 2>&1
	check "damage in place $i leaves a sound cache" cairn cache verify
done
echo nonsense >junk
refuse 3 'what is no bundle' cairn cache import junk
tar cf other.tar junk
refuse 2 'another archive' cairn cache import other.tar
refuse 3 'none at all' cairn cache import nowhere
refuse 2 'no name' cairn cache import

# --- forgeries ---
forge() {       # WHAT: bundle.tar with one record or blob replaced, in forged.tar
	/usr/bin/python3 - "$1" <<-'END'
		import io, sys, tarfile
		what = sys.argv[1]
		old = tarfile.open("bundle.tar")
		new = tarfile.open("forged.tar", "w", format=tarfile.PAX_FORMAT)
		names = old.getnames()
		results = [n for n in names if n.startswith("results/")]
		blobs = [n for n in names if n.startswith("blobs/")]
		def put(name, data, **more):
		    info = tarfile.TarInfo(name)
		    info.size = len(data)
		    for k, v in more.items(): setattr(info, k, v)
		    new.addfile(info, io.BytesIO(data))
		for n in names:
		    data = old.extractfile(n).read()
		    if what == "blob" and n == blobs[0]: data = b"evil" + data[4:]
		    if what == "missing" and n == blobs[0]: continue
		    if what == "swapped" and n == results[0]: data = old.extractfile(results[1]).read()
		    if what == "bits" and n == results[0]: data = data[:-20] + b"x" + data[-19:]
		    if n == "end":
		        if what == "names":
		            for bad in ("../../evil", "/abs", "results/short", "blobs/" + "g" * 64, "other/" + "0" * 64):
		                put(bad, b"x")
		            put("blobs/" + "0" * 64, b"", type=tarfile.SYMTYPE, linkname="/etc/passwd")
		            put("blobs/" + "1" * 64, b"", type=tarfile.DIRTYPE)
		    put(n, data)
		new.close()
	END
}
for what in blob missing swapped bits; do
	cairn cache clear >/dev/null
	forge $what
	refuse 1 "$what: forged" cairn cache import forged.tar
	check "$what: named" grep -qE 'dropped (blobs|results)/' "$OUT"
	check "$what: the rest is taken" grep -q 'imported 19[5-7] ' "$OUT"
	check "$what: and sound" cairn cache verify
done
cairn cache clear >/dev/null
forge names
refuse 1 'names and kinds that do not belong' cairn cache import forged.tar
check 'are dropped, each' grep -q 'dropped 7$' "$OUT"
check 'nothing is written elsewhere' not ls "$T/evil" /abs ../evil ../../evil
CAIRN_CACHE_MAX_SIZE=10k
export CAIRN_CACHE_MAX_SIZE
refuse 3 'more than the cache may hold' cairn cache import bundle
finish
