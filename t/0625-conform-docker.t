#!/bin/sh
# The contract of runtimes, kept by container steps on docker.
. "${0%/*}/lib.sh"
WHICH=docker
. "$top/t/conform/engine.sh"
for_engines with_engine
finish
