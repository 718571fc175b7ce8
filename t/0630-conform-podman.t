#!/bin/sh
# The contract of runtimes, kept by container steps on podman.
. "${0%/*}/lib.sh"
WHICH=podman
. "$top/t/conform/engine.sh"
for_engines with_engine
finish
