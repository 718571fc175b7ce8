#!/bin/sh
# What must not stand in any text: markers of unfinished work, paths of one machine, files too long to read.
. "${0%/*}/lib.sh"

# The files git tracks or would, or all but .git and build where there is no git.
texts() {
	git ls-files -z --cached --others --exclude-standard 2>/dev/null ||
		find . \( -name .git -o -name build \) -prune -o -type f -print0
}
faults() {      # of the tree in the folder $1
	(
		cd "$1" || exit
		# The patterns are spelled so that this file does not match them.
		texts | xargs -0 grep -sInE '\b(TO[D]O|FI[X]ME|XX[X]|HA[C]K)\b'
		texts | xargs -0 grep -sInE '(^|[^A-Za-z0-9_.-])/(wor[k]|far[m]|tmp/bas[h]_jobs)/'
		find $(ls -d src runtimes cache generators 2>/dev/null) -name '*.[ch]' -exec wc -l {} + |
			awk '$1 > 600 && $2 != "total" { print $2 ": " $1 " lines; a file is one idea, at most 600 lines" }'
	) >"$T/faults" 2>&1
	cat "$T/faults"
	test ! -s "$T/faults"
}
planted() {     # NAME FILE TEXT SAYS
	mkdir -p tree/src tree/runtimes tree/cache tree/generators
	echo 'int sound; /* at /workspace, in XXH3, from mktemp XXXXXX */' >tree/src/a.c
	echo "$3" >"tree/$2"
	not faults tree >answer && test "$(wc -l <answer)" -eq 1 && grep -q -- "$4" answer
	result $? "$1" answer
	rm "tree/$2"
}

check 'no text here has one' faults "$top"

for marker in TO''DO FI''XME XX''X HA''CK; do
	planted "$marker is found" src/b.c "/* $marker: later */" "src/b.c:1:.*$marker"
done
planted 'a path of one machine is found' README.md "see /wo""rk/main/x" 'README.md:1:'
planted 'a long file is found' src/b.c "$(seq 601)" 'src/b.c: 601 lines'
check 'a sound tree passes' faults tree
(cd tree && git init -q && echo '/out/' >.gitignore && mkdir out && echo "FI""XME" >out/x)
check 'what git ignores is left alone' faults tree
finish
