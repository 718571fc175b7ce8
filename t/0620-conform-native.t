#!/bin/sh
# The contract of runtimes, kept by native steps.
. "${0%/*}/lib.sh"
. "$top/t/conform/suite.sh"
conform
finish
