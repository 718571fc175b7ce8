#!/bin/sh
# Builds, tests and installs cairn with nothing but a C compiler, pkg-config and a few libraries.
#
#   ./build.sh                 build/cairn, its modules, build/lib/*.so, and what runs in containers, build/lib/cairn-shim
#   ./build.sh test [PATTERN]  builds, then runs unit tests and t/*.t whose name holds PATTERN
#   ./build.sh tests           builds and fetches what the tests need, runs nothing
#   ./build.sh bench           compares with other tools: t/bench/run.sh
#   ./build.sh fuzz [SECONDS]  builds build/fuzz/fuzz-*; runs each that long when told to
#   ./build.sh shim            build/lib/cairn-shim alone
#   ./build.sh install         into $DESTDIR$PREFIX (/usr/local)
#   ./build.sh clean
#
# Container engines for the tests that want some are started before and stopped after: t/testbed/engines.sh.
# Environment: CC (gcc or clang), CFLAGS (added), SANITIZE=1 (ASan and UBSan, into build/asan),
# BUILD (another folder than build), JOBS.
set -eu
cd "$(dirname "$0")"

die() { echo "build.sh: $*" >&2; exit 1; }

# --- what the machine must have -----------------------------------------------------------------
missing=
need_tool() { command -v "$1" >/dev/null 2>&1 || missing="$missing $2"; }
need_libs() {
	for lib; do
		pkg-config --exists "$lib" 2>/dev/null && continue
		case $lib in
		yaml-0.1) missing="$missing libyaml-dev" ;;
		libcrypto) missing="$missing libssl-dev" ;;
		libcurl) missing="$missing libcurl4-openssl-dev" ;;
		*) missing="$missing $lib-dev" ;;
		esac
	done
}
need_clang_runtime() {          # its sanitizer and fuzzer libraries, a package apart
	ls "$(clang -print-runtime-dir)"/libclang_rt.* >/dev/null 2>&1 ||
		missing="$missing libclang-rt-$(clang -dumpversion | cut -d. -f1)-dev"
}
need_for_tests() {
	need_tool gcc "gcc libc6-dev"   # tests compile with it whatever CC is
	need_tool prove perl
	need_tool git git
	need_tool dpkg-source dpkg-dev
	need_tool mandoc mandoc
	need_tool openssl openssl         # certificates for u-http, tokens for registries
	need_tool docker-registry docker-registry
	need_tool htpasswd apache2-utils
	need_tool make make
	need_tool ninja ninja-build
	need_tool jq jq
	need_tool ssh openssh-client      # a client for u-hostssh and for steps
	/usr/bin/python3 -c 'import jsonschema, yaml' 2>/dev/null || missing="$missing python3-jsonschema python3-yaml"
}
need_for_engines() {            # what t/testbed/engines.sh starts; only root can
	[ "$(id -u)" = 0 ] || return 0
	need_tool dockerd docker.io
	need_tool podman podman
	need_tool runc runc
	need_tool conmon conmon
	[ -x /usr/lib/podman/netavark ] || missing="$missing netavark aardvark-dns"
	[ -f /etc/containers/policy.json ] || missing="$missing golang-github-containers-common"
	need_tool catatonit catatonit
	need_tool iptables iptables
	need_tool ip iproute2
	need_tool busybox busybox-static
	need_tool curl curl
}
install_missing() {
	[ "$missing" ] || return 0
	command -v apt-get >/dev/null 2>&1 || die "these are missing (by their Debian names):$missing"
	if [ "$(id -u)" = 0 ]; then sudo=; elif sudo -n true 2>/dev/null; then sudo=sudo; else
		die "packages are missing; please run: sudo apt-get install$missing"
	fi
	echo "apt-get install$missing"
	$sudo apt-get update -qq
	if ! log=$($sudo env DEBIAN_FRONTEND=noninteractive \
		apt-get install -y -qq --no-install-recommends $missing 2>&1); then
		echo "$log" >&2
		die "unable to install$missing"
	fi
	missing=
}

# --- what is built, and how ---------------------------------------------------------------------
core_libs="yaml-0.1 libcjson"   # what the program itself links; keep it short, starting up costs time
header_libs="libxxhash"         # used through its header alone
shim_shared="outlog unframe wire"       # of runtimes/shim, what cairn itself is made of, too
shim_flags="-std=gnu11 -D_GNU_SOURCE -I. -O2 -static -s -ffunction-sections -fdata-sections -fno-asynchronous-unwind-tables"
shim_flags="$shim_flags -Wl,--gc-sections,--build-id=none"
warnings="-Wall -Wextra -Wshadow -Wstrict-prototypes -Wvla -Werror"

module_libs() { sed -n '1,5s|.*/\* module: pkg \(.*\) \*/.*|\1|p' "$1"; }
sources() { matching '' src/*.c src/*/*.c runtimes/*.c cache/*.c generators/*.c; for name in $shim_shared; do echo "runtimes/shim/$name.c"; done; }
matching() {    # PATTERN FILES: those that exist and whose name holds PATTERN
	pattern=$1
	shift
	for file; do case ${file##*/} in *$pattern*) [ ! -f "$file" ] || echo "$file" ;; esac; done
}
object() { for src; do echo "$B/obj/${src%.c}.o"; done; }

configure() {
	[ "${CC:-}" ] || if command -v clang >/dev/null && ! command -v gcc >/dev/null; then CC=clang; else CC=gcc; fi
	B=${BUILD:-build}
	mode="-O2 -g"
	if [ "${SANITIZE:-}" = 1 ]; then
		B=${BUILD:-build/asan}
		mode="-O1 -g -DARENA_MALLOC -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all"
	fi
	[ "${fuzzing:-}" ] && mode="$mode -fsanitize=fuzzer-no-link"
	jobs=${JOBS:-$(getconf _NPROCESSORS_ONLN)}
	modules=$(matching '' src/sys/mod-*.c)
	libs="$core_libs $header_libs $(for m in $modules; do module_libs "$m"; done | LC_ALL=C sort -u | tr '\n' ' ')"

	case $CC in
	gcc) need_tool gcc "gcc libc6-dev" ;;
	clang) need_tool clang clang ;;
	*) command -v "${CC%% *}" >/dev/null || die "there is no compiler $CC" ;;
	esac
	need_tool pkg-config pkg-config
	need_tool musl-gcc musl-tools   # the shim is static and small
	need_libs $libs
	install_missing
	case ${CC##*/}${SANITIZE:-} in clang*1) need_clang_runtime; install_missing ;; esac

	flags="-std=gnu11 -D_GNU_SOURCE -Isrc -I. $warnings -fPIC -fvisibility=hidden -pthread $mode ${CFLAGS:-}"
	flags="$flags $(pkg-config --cflags $libs)"
	link_libs="-Wl,--as-needed $(pkg-config --libs $core_libs) -pthread -ldl"
	mkdir -p "$B/obj"
	# One build at a time in a folder. The tests must not inherit the lock: see run_tests.
	exec 9>"$B/lock"
	command -v flock >/dev/null && flock 9
	# Objects get the time the build began, so that an edit while it runs is seen by the next one.
	: >"$B/start"
	stamp="$CC $flags $link_libs $shim_flags $(pkg-config --modversion $libs | tr '\n' ' ')$($CC --version | sed 1q)"
	if [ "$(cat "$B/obj/flags" 2>/dev/null)" != "$stamp" ]; then
		rm -rf "$B/obj" "$B/t"
		mkdir -p "$B/obj"
		echo "$stamp" >"$B/obj/flags"
	fi
	export CC B flags
}

# --- building -----------------------------------------------------------------------------------
# Is $1 absent or older than something its depfile names?
stale() {
	[ -f "$1" ] && [ -f "$1.d" ] || return 0
	deps=
	read deps <"$1.d" || :          # without -r, which joins the continued lines
	for dep in ${deps#*: }; do
		[ -f "$dep" ] && ! [ "$dep" -nt "$1" ] || return 0
	done
	return 1
}
# Is $1 absent, older than one of the files that follow, or made from others?
outdated() {
	target=$1
	shift
	[ -f "$target" ] && [ "$(cat "$B/obj/${target##*/}.from" 2>/dev/null)" = "$*" ] || return 0
	for file; do ! [ "$file" -nt "$target" ] || return 0; done
	return 1
}
compile() {     # SOURCES
	for src; do
		obj=$(object "$src")
		! stale "$obj" || { mkdir -p "${obj%/*}" && echo "$src"; }
	done | xargs -r -n 1 -P "$jobs" sh -c '
		obj=$B/obj/${1%.c}.o
		case $1 in */mod-*) flags="$flags -fvisibility=default" ;; esac   # its table is all it shows
		echo "cc $1"
		$CC $flags -MMD -MF "$obj.d" -c "$1" -o "$obj.new" &&
		touch -r "$B/start" "$obj.new" && mv "$obj.new" "$obj"' sh
}
link() {        # TARGET OPTIONS FILES
	target=$1 options=$2
	shift 2
	outdated "$target" "$@" || return 0
	echo "link $target"
	mkdir -p "${target%/*}"
	$CC $flags -o "$target.new" "$@" $options
	mv "$target.new" "$target"
	echo "$*" >"$B/obj/${target##*/}.from"
}
archive() {     # TARGET OBJECTS
	target=$1
	shift
	outdated "$target" "$@" || return 0
	rm -f "$target"
	ar rcs "$target" "$@"
	echo "$*" >"$B/obj/${target##*/}.from"
}
link_module() { # src/sys/mod-NAME.c; base comes along as private copies, so a module needs no other symbol
	name=${1##*/mod-}
	link "$B/lib/${name%.c}.so" "-shared -Wl,--exclude-libs,ALL $(pkg-config --libs $(module_libs "$1"))" \
		"$(object "$1")" "$B/obj/base.a"
}
# What runs in containers and pods: of the same bytes wherever it is built, whatever CC and SANITIZE are.
build_shim() {
	outdated "$B/lib/cairn-shim" runtimes/shim/*.[ch] || return 0
	echo "link $B/lib/cairn-shim"
	mkdir -p "$B/lib"
	musl-gcc $warnings $shim_flags -o "$B/lib/cairn-shim.new" runtimes/shim/*.c
	mv "$B/lib/cairn-shim.new" "$B/lib/cairn-shim"
	echo runtimes/shim/*.[ch] >"$B/obj/cairn-shim.from"
}
build() {
	all=$(sources)
	compile $all
	archive "$B/obj/base.a" $(object src/base/*.c)
	for module in $modules; do link_module "$module"; done
	build_shim
	link "$B/cairn" "$link_libs" $(object $all | grep -v '/mod-[^/]*$')
	[ "$B" != build ] || write_compile_commands $all
}
write_compile_commands() {
	for src; do
		printf '%s{"directory": "%s", "file": "%s", "command": "%s"}' "${sep-[}" "$PWD" "$src" "$CC $flags -c $src"
		sep=",
"
	done >"$B/compile_commands.json"
	echo ']' >>"$B/compile_commands.json"
}
# Links each source with everything but main.o into FOLDER/NAME; MAIN, if any, is a source linked with each.
link_tests() {  # FOLDER OPTIONS MAIN SOURCES
	folder=$1 options=$2 main=$3
	shift 3
	compile $main "$@"
	compile runtimes/shim/*.c
	archive "$B/obj/cairn.a" $(object $(sources) runtimes/shim/*.c | LC_ALL=C sort -u |
		grep -v -e '/mod-[^/]*$' -e '/src/main\.o$' -e '/shim/shim\.o$')
	for src; do
		name=${src##*/}
		link "$folder/${name%.c}" "$options $link_libs" $(object $main "$src") "$B/obj/cairn.a"
	done
}

# --- what is done with it -----------------------------------------------------------------------
build_tests() { # PATTERN
	mkdir -p "$B/t"
	ln -sfn ../lib "$B/t/lib"       # modules are looked for beside the program
	compile runtimes/shim/*.c
	link "$B/t/cairn-shim" "" $(object runtimes/shim/*.c)   # as the tests are made, with sanitizers if they are
	units=$(matching "$1" t/unit/u-*.c)
	link_tests "$B/t" "" "" $units $(matching '' t/helper/*.c)
	[ ! "$(matching "$1" t/7010-seeds.t)" ] || link_tests "$B/t" "" t/fuzz/replay.c t/fuzz/fuzz-*.c
	exec 9>&-
	[ ! "$(matching "$1" t/8*.t)" ] || sh t/acceptance/fetch.sh || sh t/acceptance/fetch.sh || :
}
run_tests() {   # PATTERN
	set -- $(for src in $units; do src=${src##*/}; echo "$B/t/${src%.c}"; done) $(matching "$1" t/*.t)
	[ $# -gt 0 ] || die "no test has such a name"
	start_engines
	export CAIRN_BUILD="$B" UBSAN_OPTIONS=print_stacktrace=1:exitcode=99 ASAN_OPTIONS=detect_leaks=0:exitcode=99
	# Unattended, a test that hangs ends; at a terminal an interrupt must reach it.
	prove -j "$jobs" --failures --comments --exec "${CI:+timeout -k 10 15m}" "$@"
}
# Container engines, when one of the chosen tests asks for them and nobody has started any (TESTBED_ROOT). They end with
# this shell, however it ends.
wants_engines() {       # PATTERN
	[ -z "${TESTBED_ROOT:-}" ] || return 1
	tests=$(matching "$1" t/unit/u-*.c t/*.t)
	[ "$tests" ] && grep -qE 'TESTBED_|for_engines' $tests
}
start_engines() {
	[ "${engines:-}" ] || return 0
	root=$(mktemp -d /var/tmp/cairn-engines.XXXXXX)
	trap 't/testbed/engines.sh stop "$root"' EXIT
	if variables=$(t/testbed/engines.sh start "$root" $$); then eval "$variables"; else
		# Tests that need them say that they are skipped, and fail under CI.
		echo "build.sh: container engines can't be started here; tests do without" >&2
	fi
}
run_fuzzers() { # SECONDS, empty to build only
	mkdir -p "$B"
	fuzzers=$(matching '' t/fuzz/fuzz-*.c)
	link_tests "$B" "-fsanitize=fuzzer" "" $fuzzers
	[ "$1" ] || return 0
	for src in $fuzzers; do
		name=${src##*/fuzz-}
		name=${name%.c}
		mkdir -p "$B/corpus/$name"
		seeds=t/fuzz/seeds/$name
		[ "$name" != spec ] || seeds="$seeds t/spec/good t/spec/broken"
		echo "fuzz $name, $1 s"
		"$B/fuzz-$name" -max_total_time="$1" -verbosity=0 -print_final_stats=1 \
			-artifact_prefix="$B/crash-$name-" "$B/corpus/$name" $seeds
	done
}
install_files() {
	to=${DESTDIR:-}${PREFIX:-/usr/local}
	install -d "$to/bin" "$to/lib/cairn" "$to/share/cairn/schemas"
	install -m 755 "$B/cairn" "$to/bin/cairn"
	install -m 644 "$B"/lib/*.so "$to/lib/cairn/"
	install -m 755 "$B/lib/cairn-shim" "$to/lib/cairn/"
	install -m 644 schemas/*.json "$to/share/cairn/schemas/"
	for page in $(matching '' doc/*.[1-8]); do
		section=$to/share/man/man${page##*.}
		install -d "$section"
		install -m 644 "$page" "$section/"
	done
	echo "installed in $to"
}

case ${1:-build} in
build) configure; build ;;
test)
	need_for_tests
	! wants_engines "${2:-}" || { engines=1; need_for_engines; }
	configure
	build
	build_tests "${2:-}"
	run_tests "${2:-}"
	;;
tests) need_for_tests; need_for_engines; configure; build; build_tests "" ;;
shim) need_tool musl-gcc musl-tools; install_missing; B=${BUILD:-build}; mkdir -p "$B/obj"; build_shim ;;
bench) need_tool ninja ninja-build; configure; build; exec 9>&-; shift; CAIRN_BUILD=$B exec t/bench/run.sh "$@" ;;
fuzz)
	CC=clang SANITIZE=1 BUILD=${BUILD:-build/fuzz} fuzzing=1
	configure
	build
	run_fuzzers "${2:-}"
	;;
install) configure; build; install_files ;;
clean) rm -rf "${BUILD:-build}" ;;
*) die "unknown command $1; the head of this file lists them" ;;
esac
