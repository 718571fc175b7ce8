#!/bin/sh
# cairn update pins images in cairn.lock, and tells what has moved.
. "${0%/*}/lib.sh"
. "$top/t/testbed/registry.sh"

registry_start open
arch=$(uname -m | sed 's/x86_64/amd64/; s/aarch64/arm64/')
other=arm64
[ "$arch" != arm64 ] || other=amd64
push() { image push "$open/$1" --platform "linux/$arch" --file "a=$2"; }
says() { grep -q -- "$1" "$OUT"; }
locked() { grep -qxF "$1" cairn.lock; }
update() { cairn update "$@" >"$OUT" 2>&1 || { cat "$OUT"; return 1; }; }
short() { echo "$1" | cut -c 1-19; }

set -- $(push one:1 a)
one=$1 config=$2
push two:1 b >/dev/null
mine=$(push many:mine c | cut -d' ' -f1)
theirs=$(image push "$open/many:theirs" --platform "linux/$other" --file a=d | cut -d' ' -f1)
index=$(image index "$open/many:1" "linux/$arch=$mine" "linux/$other=$theirs")
spec <<END
cairn: 1
images:
  first: {image: "$open/one:1"}
  many: {image: "$open/many:1"}
  here: {image: "$open/here:1", pull: never}
  unused: {image: "$open/unused:1"}
commands:
  a: {runtime: container, image: first, run: "true", inputs: []}
  b: {runtime: container, image: "$open/two:1", run: "true", inputs: []}
  c: {runtime: container, image: many, run: "true", inputs: []}
  d: {runtime: container, image: here, run: "true", inputs: []}
  n: {run: "true", inputs: []}
END

refuse 1 'nothing is pinned yet' cairn update --check
check 'which is said of each' says "$open/one:1: not pinned"
check 'and nothing is written' test ! -e cairn.lock
check 'update' update
check 'tells what it pins' says "$open/one:1: pinned to $(short "$one") for linux/$arch"
check 'and what it does not' says "$open/here:1: only what is here counts"
check 'an entry' locked "  $open/one:1:"
check 'its manifest' locked "      manifest: $one"
check 'its configuration' locked "      config: $config"
check 'its identity' locked "      identity: $("$BUILD/t/ask-image" registry "$open/one:1" "linux/$arch" | sed -n 's/^identity //p')"
check 'an index' locked "    index: $index"
check 'the image in it' locked "      manifest: $mine"
check 'not that of others' not locked "      manifest: $theirs"
check 'nor what no step uses' not grep -q unused cairn.lock
check 'all is what it was' update --check
cp cairn.lock before
check 'again' update
same cairn.lock before

moved=$(push one:1 new | cut -d' ' -f1)
refuse 1 'a tag has moved' cairn update --check
check 'which is said' says "$open/one:1: has moved: $(short "$one") -> $(short "$moved")"
check 'the others have not' says "$open/two:1: is what it was"
same cairn.lock before
check 'another image is updated' update "$open/two:1"
same cairn.lock before
check 'by the entry in images' update first
check 'it is told' says "$open/one:1: $(short "$one") -> $(short "$moved")"
check 'and pinned' locked "      manifest: $moved"
check 'all is what it was' update --check
again=$(image push "$open/one:1" --platform "linux/$arch" --file a=new --created 2022-01-01T00:00:00Z | cut -d' ' -f1)
check 'built again to the same' update
check 'is pinned' locked "      manifest: $again"
check 'and told to be the same' says "$(short "$again"), the same to steps"

# Somebody with another machine has pinned theirs.
sed "s|image: \"$open/many:1\"|&, platform: linux/$other|" cairn.yaml >other.yaml
check 'for another platform' cairn -f other.yaml update many
check 'both are pinned' locked "      manifest: $theirs"
check 'both' locked "      manifest: $mine"
mine2=$(image push "$open/many:mine" --platform "linux/$arch" --file a=c2 | cut -d' ' -f1)
theirs2=$(image push "$open/many:theirs" --platform "linux/$other" --file a=d2 | cut -d' ' -f1)
image index "$open/many:1" "linux/$arch=$mine2" "linux/$other=$theirs2" >/dev/null
check 'the index moves' update many
check 'and both with it' locked "      manifest: $theirs2"
check 'both' locked "      manifest: $mine2"

refuse 2 'an unknown name' cairn update frist
check 'has a suggestion' says "did you mean 'first'"
refuse 2 'one that no step uses' cairn update unused

# What can't be asked about stays.
cp cairn.lock before
sed -i "s|$open/two:1|127.0.0.1:1/two:1|" cairn.yaml
refuse 3 'a registry that is not there' cairn update
check 'is named' says 'unable to ask the registry 127.0.0.1:1'
check 'the others are asked' says "$open/one:1: is what it was"
check 'and what the spec no longer has is forgotten' not grep -q "$open/two:1" cairn.lock
sed -i "s|$open/one:1|127.0.0.1:1/one:1|" cairn.lock cairn.yaml
refuse 3 'nor can it be checked' cairn update --check first
echo '<<<<<<< HEAD' >cairn.lock
refuse 2 'a lock with conflict marks' cairn update
check 'is shown' says 'cairn.lock:1:'
check 'and kept' grep -q '<<<<<<< HEAD' cairn.lock
rm cairn.lock
printf 'cairn: 1\ncommands: {n: {run: "true", inputs: []}}\n' >cairn.yaml
check 'a spec without images' update
check 'says so' says 'no step runs in an image'
check 'and gets no lock' test ! -e cairn.lock
finish
