#!/bin/sh
# Is the oracle any good? Plants one bug after another in a copy of the sources, builds it, and lets the oracle
# look for it where it would show. Every one must be found, and the same rounds must pass without it.
#
#	t/oracle/planted.sh [NAME...]		prints a line a bug, TAP with TAP=1; exits 1 if one is not found
#
# Environment: SOURCE: another tree than this; CAIRN_BUILD (build): its objects are used again; SECONDS_EACH (60): how long to look; WORK: keeps the copy.
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
build=${CAIRN_BUILD:-build}
case $build in /*) ;; *) build=$top/$build ;; esac
work=${WORK:-$(mktemp -d "${TMPDIR:-/tmp}/cairn-planted.XXXXXX")}
[ "${WORK:-}" ] || trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM HUP
names=" $* "
n=0 missed=0

mkdir -p "$work"
cd "${SOURCE:-$top}" && cp -a src runtimes cache generators schemas build.sh "$work/" && cd "$work" || exit 1
case $(basename "$build") in asan) out=build/asan ;; *) out=build ;; esac
mkdir -p "$out" "$work/sound" && [ ! -d "$build/obj" ] || cp -a "$build/obj" "$out/"
./build.sh >"$work/said" 2>&1 || { cat "$work/said"; exit 1; }
cp -a "$out/cairn" "$out/lib" "$work/sound/"

tell() {        # OK NAME TEXT
	n=$((n + 1))
	[ "$1" = 1 ] || missed=$((missed + 1))
	if [ "${TAP:-}" ]; then
		[ "$1" = 1 ] && echo "ok $n - $2: $3" || echo "not ok $n - $2: $3"
	else
		[ "$1" = 1 ] && echo "found    $2: $3" || echo "MISSED   $2: $3"
	fi
}
# bug NAME WHAT FILE SED-EXPRESSION ORACLE-OPTIONS: the expression must change the file, the oracle must see it
bug() {
	name=$1 what=$2 file=$3 expression=$4 options=$5
	case $names in *" $name "* | "  ") ;; *) return ;; esac
	cp -p "$file" "$work/pristine"
	sed -E "$expression" "$work/pristine" >"$file"
	if cmp -s "$file" "$work/pristine"; then
		tell 0 "$name" "$what (the expression no longer fits $file)"
	elif ! CFLAGS="${CFLAGS:-} -Wno-error" ./build.sh >"$work/said" 2>&1; then
		sed 's/^/# /' "$work/said" | tail -n 20
		tell 0 "$name" "$what (it does not build)"
	else
		began=$(date +%s)
		"$top/t/oracle/oracle.py" --cairn "$work/$out/cairn" --seconds "${SECONDS_EACH:-60}" --seed "$name" $options >"$work/said" 2>&1
		status=$?
		took=$(($(date +%s) - began))
		rm -rf $(sed -n 's/^kept: //p' "$work/said")
		seed=$(sed -n 's/^FAULT .* seed \([^ ]*\):$/\1/p' "$work/said") round=$(sed -n 's/^FAULT in round \([0-9]*\) .*/\1/p' "$work/said")
		if [ $status != 1 ] || [ -z "$seed" ]; then
			tail -n 3 "$work/said" | sed 's/^/# /'
			tell 0 "$name" "$what (looked for $took s)"
		elif ! "$top/t/oracle/oracle.py" --cairn "$work/sound/cairn" --rounds "$round" --seed "$seed" $options >"$work/said" 2>&1; then
			sed 's/^/# /' "$work/said" | head -n 20
			rm -rf $(sed -n 's/^kept: //p' "$work/said")
			tell 0 "$name" "$what (the rounds fail without it, too)"
		else
			tell 1 "$name" "$what ($took s, round $round)"
		fi
	fi
	cp -p "$work/pristine" "$file"
	touch "$file"
}
mounts() { [ "$(id -u)" = 0 ] && mkdir -p "$work/mnt" && mount -t ramfs none "$work/mnt" 2>/dev/null && umount "$work/mnt"; }

. "$top/t/oracle/planted.list"

[ -z "${TAP:-}" ] || echo "1..$n"
[ "${TAP:-}" ] || echo "$n planted, $missed missed"
[ $missed = 0 ]
