#!/bin/sh
# Every fuzz target stands its seeds, among them all inputs that ever broke one, and damaged copies of them.
. "${0%/*}/lib.sh"

stands() {      # TARGET
	target=$1
	set -- "$top/t/fuzz/seeds/$1"/*
	[ "$target" != spec ] || set -- "$@" "$top"/t/spec/*/*.yaml
	"$BUILD/t/fuzz-$target" "$@" >"$T/said" 2>&1 && return
	tail -n 40 "$T/said"
	return 1
}
for target in "$top"/t/fuzz/fuzz-*.c; do
	target=${target##*/fuzz-}
	check "${target%.c}" stands "${target%.c}"
done
finish
