#!/bin/sh
# Random plans: what cairn generates for make, ninja and sh runs as cairn does (t/generate/equal.py).
# 100 plans; EQUAL_PLANS=3000 for a campaign by hand. In CI the plans are the same each time.
. "${0%/*}/lib.sh"

plans=$((${EQUAL_PLANS:-100} / 2))
seed=
[ ! "${CI:-}" ] || seed="--seed ci"
equal() { python3 "$top/t/generate/equal.py" --cairn "$BUILD/cairn" "$@"; }

equal --plans $plans --rounds 1 ${seed:+${seed}1} >"$T/one" 2>&1 &
one=$!
equal --plans $plans --rounds 1 ${seed:+${seed}2} >"$T/two" 2>&1
result $? "$plans plans" "$T/two"
wait $one
result $? "$plans others" "$T/one"
sed -n '$s/^/# /p' "$T/one" "$T/two"

# What is compared is: a variable with another name in each file.
cat >"$T/planted" <<END
#!/bin/sh
"$BUILD/cairn" "\$@" || exit
[ "\$1" != generate ] || sed -i 's/ EXTRA=/ EXTRB=/' "\$4"
END
chmod +x "$T/planted"
for tool in make ninja sh; do
	refuse 1 "$tool: a planted fault is found" equal --cairn "$T/planted" --tools $tool --plans 10 --rounds 0 --seed 5
	check "$tool: and told" grep -q "^FAULT" "$OUT"
done
finish
