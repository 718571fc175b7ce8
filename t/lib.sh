# t/lib.sh: what a shell test needs. A test is t/NNNN-topic.t:
#
#	#!/bin/sh
#	. "${0%/*}/lib.sh"
#	spec <<-'END'
#		cairn: 1
#		commands: {a: {run: echo a >a.out, inputs: [], outputs: [a.out]}}
#	END
#	check 'a runs' run a
#	expect_states 'a ran'
#	refuse 2 'an unknown name is refused' cairn run b
#	check 'and is named' grep -q '"b"' "$OUT"
#	finish
#
# Each test starts in an empty folder of its own, $T/w, with a home and XDG folders of its own; $T is
# removed at the end unless KEEP=1. cairn on the PATH is the one of CAIRN_BUILD (build). Assert on
# events and files, never on time or wording of logs.
#
#	check NAME CMD...        ok when CMD succeeds; shows its output when it fails
#	refuse STATUS NAME CMD.. ok when CMD exits with exactly that; what it said is then in $OUT
#	not CMD...               succeeds when CMD fails
#	spec                     writes cairn.yaml from standard input
#	run ARGS...              cairn run with its events in $EVENTS
#	states                   the last run's "step state" lines, sorted
#	expect_states LINE...    those are exactly the states; no arguments: nothing was said of any step
#	same FILE1 FILE2         their bytes are the same
#	for_engines CMD...       runs it once for each container engine that t/testbed/engines.sh started, with $ENGINE (podman or
#	                         docker), $ENGINE_SOCKET, CAIRN_CONTAINER_ENGINE, and $IMAGE (busybox)
#	engine_api PATH ARGS...  curl on that engine's socket, for what only it can tell
#	finish                   last: prints the plan
# expect_states and same are checks when they stand alone, and commands inside check.

set -u
top=$(cd "${0%/*}/.." && pwd)
BUILD=${CAIRN_BUILD:-build}
case $BUILD in /*) ;; *) BUILD=$top/$BUILD ;; esac
T=$(mktemp -d "${TMPDIR:-/tmp}/cairn-t.XXXXXX") || exit 1
T=$(cd "$T" && pwd -P)
OUT=$T/out EVENTS=$T/events.jsonl
tests=0 failures=0 nested=

clear_environment() {
	for name in $(env | sed -nE 's/^((CAIRN|GIT|XDG|LC|DOCKER|CONTAINERS?)_[A-Za-z0-9_]*)=.*/\1/p'); do
		unset "$name"
	done
	unset GITHUB_ACTIONS GITHUB_STEP_SUMMARY GITHUB_WORKSPACE GITHUB_BASE_REF GITLAB_CI NO_COLOR CLICOLOR_FORCE COLUMNS LANG LANGUAGE MAKEFLAGS CC CFLAGS CDPATH ENV
	export LC_ALL=C TZ=UTC TERM=dumb PATH="$BUILD:$PATH"
	export HOME="$T/home" TMPDIR="$T/tmp"
	export XDG_CONFIG_HOME="$HOME/config" XDG_CACHE_HOME="$HOME/cache" XDG_STATE_HOME="$HOME/state"
	export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1
	export GIT_AUTHOR_NAME=t GIT_AUTHOR_EMAIL=t@example.org GIT_COMMITTER_NAME=t GIT_COMMITTER_EMAIL=t@example.org
	# A report goes to a file as well as into the status, so that a test which expects failure can't hide it.
	export UBSAN_OPTIONS="print_stacktrace=1:exitcode=99:log_path=$T/sanitizer"
	export ASAN_OPTIONS="detect_leaks=0:exitcode=99:log_path=$T/sanitizer"
}
clean_up() {
	status=$?
	trap '' EXIT
	cd /
	if [ "${KEEP:-}" = 1 ]; then
		echo "# kept: $T"
	else
		chmod -R u+rwX "$T" 2>/dev/null
		rm -rf "$T"
	fi
	exit $status
}
trap clean_up EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# result STATUS NAME FILE: one line of TAP; FILE is shown when STATUS is not 0
result() {
	tests=$((tests + 1))
	if [ "$1" = 0 ]; then
		echo "ok $tests - $2"
	else
		failures=$((failures + 1))
		echo "not ok $tests - $2"
		sed 's/^/# /' "$3"
	fi
}
check() {
	name=$1
	shift
	nested=1
	"$@" >"$T/check" 2>&1
	got=$?
	nested=
	[ $got = 0 ] || echo "exit status $got: $*" >>"$T/check"
	result $got "$name" "$T/check"
}
refuse() {
	want=$1 name=$2
	shift 2
	nested=1
	"$@" >"$OUT" 2>&1
	got=$?
	nested=
	cp "$OUT" "$T/check"
	echo "exit status $got, not $want: $*" >>"$T/check"
	[ $got = "$want" ]
	result $? "$name" "$T/check"
}
not() { ! "$@"; }
spec() { cat >cairn.yaml; }
run() {
	rm -f "$EVENTS"
	cairn run --events="$EVENTS" "$@"
}
states() {
	sed -nE 's/^\{"event":"step-end",(.*,)?"step":"(([^"\\]|\\.)*)","state":"([a-z-]+)".*/\2 \4/p' "$EVENTS" | sort
}
expect_states() {
	[ "$nested" ] || { check "states: ${*:-none}" expect_states "$@"; return; }
	states >"$T/states.got"
	for line; do echo "$line"; done | sort >"$T/states.want"
	diff -u --label expected --label found "$T/states.want" "$T/states.got"
}
same() {
	[ "$nested" ] || { check "$1 and $2 are the same" same "$1" "$2"; return; }
	cmp -s "$1" "$2" || { diff -u "$1" "$2"; return 1; }
}
for_engines() {
	if [ -z "${TESTBED_ROOT:-}" ]; then
		if [ "${CI:-}" ]; then
			check "container engines were started: see ./build.sh test" false
		else
			tests=$((tests + 1))
			echo "ok $tests - $* # SKIP no container engines: ./build.sh test starts them as root"
		fi
		return
	fi
	IMAGE=localhost/busybox:1
	for ENGINE in podman docker; do
		ENGINE_SOCKET=$TESTBED_ROOT/run/$ENGINE.sock
		export CAIRN_CONTAINER_ENGINE="unix://$ENGINE_SOCKET"
		"$@"
	done
	unset CAIRN_CONTAINER_ENGINE
}
engine_api() {
	path=$1
	shift
	curl -sS --unix-socket "$ENGINE_SOCKET" "$@" "http://d$path"
}
finish() {
	for report in "$T"/sanitizer.*; do
		[ ! -e "$report" ] || result 1 "no sanitizer has anything to report" "$report"
	done
	echo "1..$tests"
	[ $failures = 0 ]
	exit
}

clear_environment
mkdir -p "$T/w" "$HOME" "$TMPDIR"
umask 022
cd "$T/w" || exit 1
