#!/bin/sh
# The shim as it is installed: small, static, the same wherever it is built, and at home in a container without anything.
. "${0%/*}/lib.sh"

shim=$BUILD/lib/cairn-shim
size=$(wc -c <"$shim")

check 'at most 128 KiB' test "$size" -le 131072
check 'static: it names no loader and no library' sh -c '! readelf -lW "$0" | grep -E "INTERP|DYNAMIC"' "$shim"
check 'stripped' sh -c 'test -z "$(nm "$0" 2>/dev/null)"' "$shim"

# The same sources in another folder, built again.
mkdir "$T/elsewhere"
cp -r "$top/runtimes" "$top/build.sh" "$T/elsewhere"
check 'it is built alone' env BUILD=other "$T/elsewhere/build.sh" shim
same "$T/elsewhere/other/lib/cairn-shim" "$shim"

refuse 125 'a word that it does not know is refused' "$shim" --unknown
check 'with its usage' grep -q 'usage: cairn-shim' "$OUT"
refuse 125 'so is a time that is none' "$shim" --silence=0
refuse 125 'without a controller it ends' sh -c '"$0" </dev/null >/dev/null' "$shim"

mkdir root
cp "$shim" root/cairn-host
refuse 255 'by its other name it is cairn-host, which needs a step' root/cairn-host true
check 'and says so' grep -q 'CAIRN_HOST_SOCKET is not set' "$OUT"
finish
