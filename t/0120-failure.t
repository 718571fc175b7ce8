#!/bin/sh
# Failures: what still runs, what is said, what is left.
. "${0%/*}/lib.sh"

spec <<'END'
cairn: 1
commands:
  bad: {run: "echo out; echo err >&2; echo partial > bad.out; exit 7", inputs: [], outputs: [bad.out]}
  after: {needs: [bad], run: "true", inputs: []}
  good: {run: echo good > good.out, inputs: [], outputs: [good.out]}
  slow: {run: sleep 60, inputs: [], timeout: 200ms}
  flaky:
    run: |
      echo x >> count
      test "$(wc -l < count)" = 3
    retry: {times: 2, delay: 10ms}
  missing: {run: "true", inputs: [], outputs: [never]}
  middle: {run: "false\necho not reached > reached"}
  needs-tool: {run: "true", requires: {tools: [no-such-tool-here, {any: [nor-this, or-that]}]}}
  goes-on: {run: exit 1, continue_on_failure: true}
  behind: {needs: [goes-on], run: echo behind > behind.out, outputs: [behind.out], inputs: []}
  skipped: {run: exit 9, when: '${{ os == "none" }}'}
  skips-too: {needs: [skipped], run: exit 9}
  killed: {run: kill -9 $$}
  cleanup: {run: echo cleaned > cleaned}
workflows:
  all: {steps: [after, good]}
  tidy: {steps: [bad], finally: [cleanup]}
END

echo before >bad.out
refuse 1 'a step that fails' run bad
check 'its output is shown' grep -qx err "$OUT"
check 'what it half made goes, what stood there comes back' grep -qx before bad.out
check 'its log is kept' sh -c 'cairn log bad | grep -qx out'
rm bad.out
refuse 1 'keep going' run -k -j1 all
expect_states 'bad failed' 'after blocked' 'good ran'
refuse 1 'not going on' run -j1 all
check 'what needs it is blocked' sh -c "grep -q '\"step\":\"after\",\"state\":\"blocked\"' $EVENTS"
refuse 1 'a timeout' run slow
expect_states 'slow timed-out'
check 'further attempts' run flaky
expect_states 'flaky ran'
refuse 1 'a declared output that was not made' run missing
expect_states 'missing failed'
refuse 1 'a failing line ends the script' run middle
check 'and nothing behind it runs' test ! -e reached
refuse 3 'a tool it requires is not there' run needs-tool
check 'and is named' grep -q 'no-such-tool-here.*nor-this or or-that' "$OUT"
refuse 1 'a failure that may be' run behind
expect_states 'goes-on failed' 'behind ran'
check 'skipped needs skip' run skips-too
expect_states 'skipped skipped' 'skips-too skipped'
refuse 1 'finally' run tidy
check 'ran all the same' test -e cleaned
refuse 1 'a signal' run killed
check 'is in the event' grep -q '"signal":9' "$EVENTS"
refuse 2 'an unknown goal' run god
check 'with a suggestion' grep -q good "$OUT"
finish
