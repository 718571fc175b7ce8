#!/bin/sh
# --claim: steps for machines with other tags are left to these and told; without it they are refused before anything runs.
. "${0%/*}/lib.sh"

spec <<'END'
cairn: 1
commands:
  here: {run: "echo h >here.out", inputs: [], outputs: [here.out]}
  big: {run: "echo b >big.out", needs: [here], inputs: [here.out], outputs: [big.out], tags: [gpu]}
  use: {run: "cat big.out >use.out", needs: [big], inputs: [big.out], outputs: [use.out]}
  after: {run: "true", needs: [{step: big, order_only: true}], inputs: []}
  bold: {run: "true", tags: [gpu], continue_on_failure: true}
  on: {run: "true", needs: [bold]}
  own: {run: "echo o >own.out", inputs: [], outputs: [own.out], tags: [shell]}
  group: {needs: [use, own]}
  end: {run: "touch ended", inputs: []}
workflows:
  default: {steps: [group, after, on], finally: [end]}
END
refuse 3 'without it a step for other machines is refused' cairn run
check 'by its tag' grep -q 'unable to run big: it is for machines tagged gpu' "$OUT"
check 'before anything runs' not ls here.out ended own.out
check 'with it the rest runs' run --claim
expect_states 'here ran' 'big left' 'use left' 'after left' 'bold left' 'on left' 'own ran' 'group left' 'end ran'
check 'the reason is told' grep -q '"step":"big","state":"left".*machines tagged gpu' "$EVENTS"
check 'and who waits for whom' grep -q '"step":"use","state":"left".*big is left to another machine' "$EVENTS"
check 'shown to the user' sh -c 'cairn run --claim 2>&1 | grep -q "^left big: it is for machines tagged gpu"'
check 'once more' run --claim
expect_states 'here hit' 'big left' 'use left' 'after left' 'bold left' 'on left' 'own hit' 'group left' 'end ran'
refuse 3 'it is still refused without' cairn run
rm -f ended
check 'a dry run leaves them, too' run -n --claim big
expect_states 'here hit' 'big left'

# --- the machine that has the tag ---
CAIRN_TAGS=gpu
export CAIRN_TAGS
check 'there they run' run --claim
expect_states 'here hit' 'big ran' 'use ran' 'after ran' 'bold ran' 'on ran' 'own hit' 'group ran' 'end ran'
unset CAIRN_TAGS
rm -f big.out use.out
check 'what they made is taken from the cache anywhere' run --claim group
expect_states 'here hit' 'big restored' 'use restored' 'own hit' 'group ran'

# --- a failure beside ---
sed -i 's/echo o >own.out/exit 1/' cairn.yaml
rm -rf "$XDG_CACHE_HOME" big.out
refuse 1 'a step that fails is still a failure' run -k --claim group
expect_states 'here ran' 'big left' 'use left' 'own failed' 'group left'
finish
