# What happens to a real project in a day, held step by step. A test sources t/lib.sh and this file, sets
#	package     the source package, whose spec is t/acceptance/NAME.yaml
#	sources     a pattern of its translation units
#	includes    options for gcc -MM
#	header      a header that some but not all include, with
#	code, other sed scripts that change what is compiled from it in two ways, and
#	remark      one that changes only a comment in it
#	shadow      a path that hides $header once it exists, with what
#	hidden      makes of it
#	compiles, links   patterns (grep -E) of the names of steps that compile and link
#	objects     pattern of the objects that are linked
#	extra       a new source
#	works       a command that shows that what was built works
# and calls acceptance. What must run is worked out by gcc -MM and by comparing objects, never by asking cairn.

acceptance() {
	prepare
	cold_and_again
	headers
	shadowed
	flags_and_compiler
	branches
	outputs
	removed_source
	killed
	worktree
	finish
}

prepare() {
	cache=${ACCEPTANCE:-$top/build/acceptance}
	if [ ! -f "$cache/$package/.complete" ]; then
		echo "1..0 # SKIP the sources of $package are not here: t/acceptance/fetch.sh gets them"
		exit 0
	fi
	cp -R "$cache/$package/." .
	rm -f .complete
	cp "$top/t/acceptance/${package%%[0-9]*}.yaml" cairn.yaml
	echo /build/ >.gitignore
	git init -q -b main . && git add -A && git commit -qm first
	mkdir "$T/wrap"
	export PATH="$T/wrap:$PATH"
}

# Names of the steps that compile what includes $1, before anything is changed or with it.
users() {
	for source in $sources; do
		gcc -MM $includes "$source" | tr -s ' \\\n' '\n\n\n' | grep -Fxq "$1" && echo "$source"
	done | sed 's/.*/[src=&]/' >"$T/users"
	grep -E "$compiles" "$T/all" | grep -F -f "$T/users" | LC_ALL=C sort -u
}
object_sums() { find $objects -name '*.o' 2>/dev/null | LC_ALL=C sort | xargs sha256sum; }
# Links whose objects changed since $T/before (a list by object_sums).
relinked() {
	object_sums | diff "$T/before" - | sed -n 's/^[<>] [0-9a-f]*  //p' | sort -u >"$T/changed"
	grep -E "$links" "$T/all" | while read -r step; do
		if link_uses "$step" <"$T/changed"; then echo "$step"; fi
	done
}
# happened NAME DEFAULT [ARGS]: runs; exactly the steps in $T/ran ran, and what links changed objects; others were DEFAULT
happened() {
	name=$1 default=$2
	shift 2
	run "$@" >"$OUT" 2>&1
	result $? "$name: the run succeeds" "$OUT"
	relinked >"$T/links"
	sort -u "$T/ran" "$T/links" >"$T/expected-ran"
	{
		sed 's/$/ ran/' "$T/expected-ran"
		grep -Fxv -f "$T/expected-ran" "$T/all" | sed "s/\$/ $default/"
	} | sort >"$T/want"
	states >"$T/got"
	diff -u --label expected --label found "$T/want" "$T/got" >"$T/difference"
	result $? "$name: $(wc -l <"$T/expected-ran" | tr -d ' ') steps ran, the others: $default" "$T/difference"
	object_sums >"$T/before"
}
nothing_ran() { : >"$T/ran"; }
# The state that restored steps and hits have in common is decided by their outputs: steps listed in $T/ran ran, others
# were not run.
not_run() {     # NAME [ARGS]
	name=$1
	shift
	run "$@" >"$OUT" 2>&1
	result $? "$name: the run succeeds" "$OUT"
	states | grep -Ev ' (hit|restored)$' >"$T/wrong"
	not test -s "$T/wrong" && test "$(states | wc -l)" = "$(wc -l <"$T/all")"
	result $? "$name: nothing ran, everything was there or came back" "$T/wrong"
	object_sums >"$T/before"
}

cold_and_again() {
	: >"$T/before"
	run >"$OUT" 2>&1
	result $? 'cold: the run succeeds' "$OUT"
	states | sed 's/ [a-z-]*$//' >"$T/all"
	states | grep -v ' ran$' >"$T/wrong"
	not test -s "$T/wrong"
	result $? "cold: all $(wc -l <"$T/all" | tr -d ' ') steps ran" "$T/wrong"
	units=$(ls $sources | wc -l)
	check "its $units sources are a step each" test "$(grep -cE "$compiles" "$T/all")" = "$units"
	check 'what was built works' sh -c "$works"
	object_sums >"$T/before"
	nothing_ran
	happened 'at once again' hit
}

headers() {
	touch "$header"
	nothing_ran
	happened 'a header touched' hit
	find . -path ./.git -prune -o -path ./build -prune -o -type f -exec touch {} +
	nothing_ran
	happened 'every file touched' hit

	users "$header" >"$T/ran"
	check 'a header that some include' sh -c "test -s '$T/ran' && ! cmp -s '$T/ran' '$T/all'"
	sed -i "$remark" "$header"
	happened 'a comment edited' hit
	check 'no program was linked again' not test -s "$T/links"
	users "$header" >"$T/ran"
	sed -i "$code" "$header"
	happened 'a header edited' hit
	check 'a program was linked again' test -s "$T/links"
	git checkout -q "$header"
	not_run 'the header put back'
	check 'what was built works' sh -c "$works"
}

shadowed() {
	users "$header" >"$T/ran"
	mkdir -p "$(dirname "$shadow")"
	sed "$hidden" "$header" >"$shadow"
	happened 'a new header hides another' hit
	rm -r "${shadow%%/*}"
	not_run 'the new header removed'
	object_sums >"$T/before"
}

flags_and_compiler() {
	grep -E "$compiles" "$T/all" >"$T/ran"
	happened 'another flag' hit -V cflags=-O1
	not_run 'the former flag'

	printf '#!/bin/sh\nexec /usr/bin/gcc "$@"\n' >"$T/wrap/gcc"
	chmod +x "$T/wrap/gcc"
	cp "$T/all" "$T/ran"
	happened 'another compiler in front' hit
	rm "$T/wrap/gcc"
	not_run 'the former compiler'
}

branches() {
	users "$header" >"$T/ran"
	git checkout -q -b other
	sed -i "$other" "$header"
	git commit -qam 'on a branch'
	happened 'a branch' hit
	check 'the branch is as built before' test -s "$T/links"
	git checkout -q main
	not_run 'the branch left'
	git checkout -q other
	not_run 'the branch again'
	git checkout -q main
	not_run 'and left'
	check 'what was built works' sh -c "$works"
}

one_output() { find $objects -name '*.o' | LC_ALL=C sort | sed -n 3p; }
outputs() {
	object=$(one_output)
	sum=$(sha256sum "$object")
	for how in 'rm' 'truncate -s 3' 'chmod +x'; do
		$how "$object"
		run >"$OUT" 2>&1
		result $? "an output after $how: the run succeeds" "$OUT"
		states | grep -v ' hit$' >"$T/got"
		check 'one step is restored' grep -qx '[^ ]* restored' "$T/got"
		check 'and only that' test "$(wc -l <"$T/got")" = 1
		check 'the output is as it was' test "$sum" = "$(sha256sum "$object")"
	done
	check 'its mode too' not test -x "$object"
	rm -r build
	not_run 'all outputs deleted'
	check 'what was built works' sh -c "$works"
}

removed_source() {
	cp "$T/all" "$T/all.before"
	echo 'int cairn_extra_source(void) { return 1; }' >"$extra"
	run >"$OUT" 2>&1
	result $? 'a new source: the run succeeds' "$OUT"
	states | sed 's/ [a-z-]*$//' >"$T/all"
	states | grep -v ' hit$' | sed 's/\[.*\(\[.*\)*\]//' | sort -u >"$T/got"
	check 'a source more is a step more' test "$(($(wc -l <"$T/all") - 1))" = "$(wc -l <"$T/all.before")"
	check 'it and what links it ran' not grep -qv ' ran$' "$T/got"
	check 'its object is there' test "$(find $objects -name "$(basename "$extra" .c).o" | wc -l)" = 1
	rm "$extra"
	cp "$T/all.before" "$T/all"
	not_run 'the source removed'
	check 'its object is gone' test "$(find $objects -name "$(basename "$extra" .c).o" | wc -l)" = 0
	check 'what was built works' sh -c "$works"
}

killed() {
	rm -rf build
	# A compiler that tells how often it began.
	printf '#!/bin/sh\ncase "$*" in *" -c "*) echo "$*" >>"%s" ;; esac\nexec /usr/bin/gcc "$@"\n' "$T/compiled" >"$T/wrap/gcc"
	chmod +x "$T/wrap/gcc"
	: >"$T/compiled"
	units=$(grep -cE "$compiles" "$T/all")
	cairn run -j2 >"$OUT" 2>&1 &
	pid=$!
	while [ "$(wc -l <"$T/compiled")" -lt $((units / 2)) ] && kill -0 $pid 2>/dev/null; do sleep 0.01; done
	kill -9 $pid
	wait $pid 2>/dev/null
	sleep 1
	run -j2 >"$OUT" 2>&1
	result $? 'kill -9 half-way: the next run succeeds' "$OUT"
	states | grep -vE ' (ran|hit|restored)$' >"$T/wrong"
	check 'it did the rest' not test -s "$T/wrong"
	began=$(wc -l <"$T/compiled")
	echo "# $units sources, $began compilations"
	# With -j2 two run while the outputs of a third are collected.
	check 'at most what was under way was compiled twice' test "$began" -le $((units + 3))
	check 'what was built works' sh -c "$works"
	check 'nothing of the killed run is left' test -z "$(find . -name '.cairn~*')"
	rm "$T/wrap/gcc"
	not_run 'with the former compiler'
}

worktree() {
	git worktree add -q "$T/second"
	cd "$T/second" || exit 1
	run >"$OUT" 2>&1
	result $? 'a second worktree: the run succeeds' "$OUT"
	states | grep -v ' restored$' >"$T/wrong"
	not test -s "$T/wrong" && test "$(states | wc -l)" = "$(wc -l <"$T/all")"
	result $? 'all of it came from the cache' "$T/wrong"
	check 'what came works' sh -c "$works"
	cd "$T/w" || exit 1
	nothing_ran
	happened 'and the first is as it was' hit
}
