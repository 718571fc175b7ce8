#!/bin/sh
# Random plans under random change: see t/oracle/oracle.py. ORACLE_SECONDS bounds it, ORACLE_SEED repeats a campaign.
. "${0%/*}/lib.sh"

seconds=${ORACLE_SECONDS:-100}
# In CI the campaigns are the same each time, so that a change is judged by itself; by hand they are new ones.
: "${ORACLE_SEED:=${CI:+7}}"
oracle() {      # NAME OPTIONS
	name=$1
	shift
	/usr/bin/python3 "$top/t/oracle/oracle.py" --cairn "$BUILD/cairn" ${ORACLE_SEED:+--seed "$ORACLE_SEED"} ${KEEP:+--keep} "$@" >"$OUT" 2>&1
	status=$?
	sed -n 's/^seed /# seed /p' "$OUT"
	tail -n 1 "$OUT" | sed 's/^/# /'
	result $status "$name" "$OUT"
}

oracle 'outputs are those of a build from scratch, and only what had to run ran' --seconds "$seconds"
mkdir "$T/mnt"
# By hand for now: edits within one tick of a coarse clock are still being hunted.
if [ "${ORACLE_COARSE:-}" ] && [ "$(id -u)" = 0 ] && mount -t ramfs none "$T/mnt" 2>/dev/null; then
	umount "$T/mnt"
	oracle 'also where the clock of the file system is coarse' --seconds $((seconds / 5)) --fs ramfs
fi
finish
