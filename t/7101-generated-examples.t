#!/bin/sh
# Every example, by make, ninja and a script: what comes out is what cairn makes.
. "${0%/*}/lib.sh"

export DEMO_TOKEN=sesame        # what examples/environment asks its caller for
# What a tool has no way to express: these must be refused, all others must run.
refused() {     # EXAMPLE TOOL
	case $1-$2 in
	private-*) echo 'workspace: copy' ;;
	failures-ninja | matrix-ninja) echo 'finally: \|sequential: ' ;;
	esac
}
built() {       # TOOL: by what was generated
	case $1 in
	make) make -s ;;
	ninja) ninja --quiet ;;
	sh) sh build.sh ;;
	esac
}
left() {        # what there is but the tools' own; a tar file by what it lists
	find . \( -name '.cairn~*' -o -name '.ninja_*' -o -name Makefile -o -name build.ninja -o -name build.sh \) -prune -o ! -type d -print | LC_ALL=C sort |
		while IFS= read -r f; do
			case $f in *.tar) echo "$f $(tar tf "$f" | tr '\n' ' ')" ;; *) [ -L "$f" ] && echo "$f -> $(readlink "$f")" || sha256sum "$f" ;; esac
		done
}
for example in "$top"/examples/*/; do
	it=${example%/}
	it=${it##*/}
	cp -r "$example" "$T/$it-cairn"
	cd "$T/$it-cairn" || exit 1
	check "$it: by cairn" cairn run -q
	left >"$T/want"
	for tool in make ninja sh; do
		cp -r "$example" "$T/$it-$tool"
		cd "$T/$it-$tool" || exit 1
		case $tool in make) file=Makefile ;; ninja) file=build.ninja ;; sh) file=build.sh ;; esac
		why=$(refused "$it" $tool)
		if [ "$why" ]; then
			refuse 3 "$it: $tool can't express it" cairn generate $tool -o $file
			check "$it: and says what" grep -q "$why" "$OUT"
			continue
		fi
		check "$it: for $tool" cairn generate $tool -o $file
		check "$it: by $tool" built $tool
		left >"$T/got"
		same "$T/got" "$T/want"
		check "$it: by $tool again" built $tool
		left >"$T/got"
		same "$T/got" "$T/want"
	done
done
finish
