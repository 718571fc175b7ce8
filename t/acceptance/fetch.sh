#!/bin/sh
# Gets the Debian source packages that the acceptance tests build, once, into $1 (build/acceptance): one folder a
# package, as dpkg-source unpacks it. Uses this machine's own package sources with deb-src added, in private lists, so
# nothing of the system changes and no privilege is needed. Without apt it says so and the tests are skipped.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
to=${1:-${ACCEPTANCE:-$here/../../build/acceptance}}
packages="lua5.4 mbedtls"

missing=
for package in $packages; do [ -f "$to/$package/.complete" ] || missing="$missing $package"; done
[ "$missing" ] || exit 0
for tool in apt-get dpkg-source; do
	command -v $tool >/dev/null || { echo "fetch.sh: there is no $tool; acceptance tests will be skipped"; exit 0; }
done

mkdir -p "$to"
to=$(cd "$to" && pwd)
exec 8>"$to/lock"
if command -v flock >/dev/null; then flock 8; fi
apt=$to/apt
mkdir -p "$apt/parts" "$apt/lists/partial" "$apt/cache/archives/partial" "$to/download"
for list in /etc/apt/sources.list.d/*.sources; do
	[ ! -f "$list" ] || sed 's/^Types:.*/Types: deb-src/' "$list" >"$apt/parts/${list##*/}"
done
for list in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
	[ ! -f "$list" ] || sed -n 's/^deb \(.*\)/deb-src \1/p' "$list" >"$apt/parts/${list##*/}"
done
rm -f "$apt/parts/sources.list.list"
[ ! -f "$apt/parts/sources.list" ] || mv "$apt/parts/sources.list" "$apt/parts/sources.list.list"
private="-o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts=$apt/parts -o Dir::State::lists=$apt/lists
	-o Dir::Cache=$apt/cache -o APT::Sandbox::User="
apt-get -qq $private update || echo "fetch.sh: some package lists could not be had; trying with the others" >&2
cd "$to/download"
apt-get -qq $private source --download-only $missing
for package in $missing; do
	rm -rf "$to/$package"
	dpkg-source --no-check -x "${package}"_*.dsc "$to/$package" >/dev/null
	: >"$to/$package/.complete"
done
