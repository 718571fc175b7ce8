#!/bin/sh
# Random plans under random change: see t/oracle/oracle.py. ORACLE_SECONDS bounds it, ORACLE_SEED repeats a campaign.
. "${0%/*}/lib.sh"

/usr/bin/python3 "$top/t/oracle/oracle.py" --cairn "$BUILD/cairn" --seconds "${ORACLE_SECONDS:-100}" \
	${ORACLE_SEED:+--seed "$ORACLE_SEED"} ${KEEP:+--keep} >"$OUT" 2>&1
status=$?
sed -n 's/^seed /# seed /p' "$OUT"
tail -n 1 "$OUT" | sed 's/^/# /'
result $status 'outputs are those of a build from scratch, and only what had to run ran' "$OUT"
finish
