#!/bin/sh
# Compares cairn with ninja, make (and samurai if it is there) on the same graphs; see README.md beside this file.
#
#	t/bench/run.sh [SIZES]		default: 1000 10000 100000
#
# Environment: PAIRS (11), COLD_PAIRS (11; 1 from 100000 steps on), JOBS (CPUs), BENCH_DIR (a fresh folder, removed at the end),
# ONLY (a pattern (grep -E) of rows to measure).
set -eu
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
build=${CAIRN_BUILD:-build}
case $build in /*) ;; *) build=$top/$build ;; esac
[ $# -gt 0 ] || set -- 1000 10000 100000
pairs=${PAIRS:-11}
jobs=${JOBS:-$(getconf _NPROCESSORS_ONLN)}
made=
[ "${BENCH_DIR:-}" ] || made=$(mktemp -d "${TMPDIR:-/tmp}/cairn-bench.XXXXXX")
work=${BENCH_DIR:-$made}
trap '[ -z "$made" ] || rm -rf "$made"' EXIT
trap 'exit 130' INT TERM HUP
for name in $(env | sed -nE 's/^((CAIRN|GIT|XDG|MAKE)[A-Z_]*)=.*/\1/p'); do unset "$name"; done
export LC_ALL=C HOME="$work/home" XDG_STATE_HOME="$work/state" XDG_CACHE_HOME="$work/cache" XDG_CONFIG_HOME="$work/config"
mkdir -p "$HOME"
PATH=$build:$PATH
: "${CC:=cc}"
for tool in pair floor; do $CC -O2 -Wall -Wextra -D_GNU_SOURCE -o "$work/$tool" "$here/$tool.c"; done
samurai=$(command -v samu || :)

say() { echo "$*" >&2; }
# row NAME WHAT TOOL_A TOOL_B PAIR_OPTIONS...: measures and prints a line of the table
row() {
	size=$1 what=$2 a=$3 b=$4
	shift 4
	echo "$size $what $a $b" | grep -Eq "${ONLY:-.}" || return 0
	say "$size: $what, $a against $b"
	"$work/pair" "$@" >"$work/result"
	awk -F '\t' -v head="| $size | $what | $a | $b |" '{
		printf "%s %s | %s | **%s** (%s-%s) | %.1f | %.1f |%s\n", head, $1, $2, $4, $3, $5, $6 / 1024, $7 / 1024, \
			$8 ? " " $8 " runs failed |" : ""
	}' "$work/result"
}
graph() {       # KIND FORM ARGS
	kind=$1 form=$2
	shift 2
	mkdir -p "$work/$size/$form"
	(cd "$work/$size/$form" && python3 "$here/graph.py" "$kind" "$@" "$form")
}
command_of() {  # FORM: what builds it
	case $1 in
	steps | each) echo "cairn run -q -j$jobs" ;;
	ninja) echo "ninja --quiet -j$jobs" ;;
	samurai) echo "$samurai -j$jobs" ;;
	make) echo "make -s -j$jobs" ;;
	floor) echo "$work/floor $steps" ;;
	esac
}
folder_of() {   # FORM
	case $1 in floor) echo "$work/$size/ninja" ;; *) echo "$work/$size/$1" ;; esac
}
title() { case $1 in steps) echo "cairn" ;; each) echo "cairn, each" ;; *) echo "$1" ;; esac; }
# versus WHAT A B PAIRS [PREPARE_A PREPARE_B]
versus() {
	what=$1 a=$2 b=$3 n=$4
	row "$size" "$what" "$(title "$a")" "$(title "$b")" -n "$n" -p "${5:-:}" -P "${6:-:}" \
		-- "$(folder_of "$a")" $(command_of "$a") -- "$(folder_of "$b")" $(command_of "$b")
}
built() {       # FORM...: builds once, untimed
	for form; do (cd "$(folder_of "$form")" && $(command_of "$form") >/dev/null); done
}
forget="rm -rf out .ninja_log .ninja_deps && mkdir out && cp -r ../empty/in out/"
forget_cairn="$forget && rm -rf '$work/state' '$work/cache'"

flat() {        # STEPS
	steps=$1 size=$1
	say "$size: making the graph"
	forms="steps each ninja make"
	for form in $forms; do graph flat "$form" "$steps"; done
	if [ "$samurai" ]; then mkdir "$work/$size/samurai" && cp -r "$work/$size/ninja/." "$work/$size/samurai"; forms="$forms samurai"; fi
	mkdir -p "$work/$size/empty"
	cp -r "$work/$size/ninja/out/in" "$work/$size/empty/"
	cold=${COLD_PAIRS:-$([ "$steps" -lt 100000 ] && echo 11 || echo 1)}
	versus cold steps ninja "$cold" "$forget_cairn" "$forget"
	versus cold each ninja "$cold" "$forget_cairn" "$forget"
	built $forms
	sleep 1
	for cairn in steps each; do
		for form in floor ninja make ${samurai:+samurai}; do versus no-op "$cairn" "$form" "$pairs"; done
	done
	one=in/d$((steps / 200))/f$((steps / 2))
	versus "one touched" steps ninja "$pairs" "touch $one" "touch $one"
	versus "one touched" each ninja "$pairs" "touch $one" "touch $one"
	versus "one edited" steps ninja "$pairs" "date +%N >>$one" "date +%N >>$one"
	versus "one edited" each ninja "$pairs" "date +%N >>$one" "date +%N >>$one"
	every='find in -type f -exec touch {} +'
	versus "every file touched" steps floor "$pairs" "$every"
	versus "no-op after that" steps ninja "$pairs"
	rm -rf "${work:?}/$size"
}
wide() {        # STEPS FILES
	steps=$1 size="$1 x $2 files"
	say "$size: making the graph"
	for form in steps ninja make; do graph wide "$form" "$1" "$2"; done
	built steps ninja make
	sleep 1
	for form in ninja make; do versus no-op steps "$form" "$((pairs * 3))"; done
	rm -rf "${work:?}/$size"
}

echo "$(cairn version | sed 1q); ninja $(ninja --version); $(make --version | sed 1q); $(git version); ${samurai:+samurai $($samurai --version 2>&1); }$jobs jobs, $(uname -sr), $(sed -n 's/^model name.*: //p' /proc/cpuinfo | sed 1q)"
echo
echo "| steps | what | A | B | A ms | B ms | A/B: median (quartiles) | A MiB | B MiB |"
echo "|---|---|---|---|---|---|---|---|---|"
row - "version" "cairn version" "git version" -n $((pairs * 9)) -- "$work" cairn version -- "$work" git version
wide 200 11
for n; do flat "$n"; done
