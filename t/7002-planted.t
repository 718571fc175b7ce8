#!/bin/sh
# The oracle must find bugs that are planted on purpose: t/oracle/planted.list.
. "${0%/*}/lib.sh"

TAP=1 CAIRN_BUILD=$BUILD WORK=$T/planted SECONDS_EACH=${PLANTED_SECONDS:-40} "$top/t/oracle/planted.sh" ${PLANTED:-}
