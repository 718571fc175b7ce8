#!/bin/sh
# Events: after their schema, and one step-end a step, whatever becomes of it.
. "${0%/*}/lib.sh"

valid() {       # each line of $EVENTS is a compact object after the schema
	/usr/bin/python3 - "$top/schemas/events.schema.json" "$EVENTS" <<-'END'
		import json, re, sys, jsonschema
		schema = json.load(open(sys.argv[1]))
		jsonschema.Draft7Validator.check_schema(schema)
		check = jsonschema.Draft7Validator(schema)
		ends, kinds = {}, []
		for line in open(sys.argv[2], errors="surrogateescape"):
		    event = json.loads(line)
		    check.validate(event)
		    assert re.match(r'\{"event":"[a-z-]+",("step":"([^"\\]|\\.)+",("state":"[a-z-]+",)?)?"[a-z_]+":', line), line
		    kinds.append(event["event"])
		    if event["event"] == "step-end":
		        ends[event["step"]] = ends.get(event["step"], 0) + 1
		assert kinds.count("run-start") == 1 and kinds.count("run-end") == 1 and kinds[-1] == "run-end", kinds
		assert all(n == 1 for n in ends.values()), ends
	END
}
output() {      # STEP STREAM: what the events say it wrote there
	/usr/bin/python3 - "$EVENTS" "$1" "$2" <<-'END'
		import json, sys
		for line in open(sys.argv[1]):
		    e = json.loads(line)
		    if e["event"] == "step-output" and e["step"] == sys.argv[2] and e["stream"] == sys.argv[3]:
		        sys.stdout.buffer.write(e["text"].encode("utf-8", "surrogateescape"))
	END
}

spec <<'END'
cairn: 1
secrets: {token: {env: TOKEN}}
commands:
  a: {run: "cat in >a.out", inputs: [in], outputs: [a.out]}
  bytes: {run: "printf 'x\\377\\033[1m\\n\"q\"'; echo err >&2", inputs: []}
  secret: {run: "printf %s \"$T\" | cut -c1-4 | tr -d '\\n'; sleep 0.05; printf '%s\\n' \"$T\" | cut -c5-", env: {T: {secret: token}}, inputs: []}
  bad: {run: exit 3, inputs: []}
  killed: {run: 'kill -9 $$', inputs: []}
  slow: {run: sleep 60, timeout: 100ms, inputs: []}
  after: {run: ":", needs: [bad], inputs: []}
  skipped: {run: ":", when: '${{ os == "none" }}', inputs: []}
END
echo 1 >in
export TOKEN=hunter2hunter2
check 'a run succeeds' run a bytes secret skipped
check 'its events are valid' valid
expect_states 'a ran' 'bytes ran' 'secret ran' 'skipped skipped'
output bytes stdout >got
printf 'x\377\033[1m\n"q"' >want
same want got
check 'standard error is told apart' test "$(output bytes stderr)" = err
check 'a secret that comes in pieces is masked' test "$(output secret stdout)" = '***'
check 'a run of hits succeeds' run a bytes secret skipped
check 'its events are valid' valid
expect_states 'a hit' 'bytes hit' 'secret hit' 'skipped skipped'
refuse 1 'a run with failures fails' run --keep-going bad killed slow after
check 'its events are valid' valid
expect_states 'after blocked' 'bad failed' 'killed failed' 'slow timed-out'
check 'the exit status is untouched' grep -q '"step":"bad","state":"failed","status":3,' "$EVENTS"
check 'so is the signal' grep -q '"step":"killed","state":"failed","signal":9,' "$EVENTS"
refuse 3 'an event file that cannot be written is an error' cairn run --events=none/there a
check 'events may go to standard output' sh -c 'cairn run --events=- a 2>/dev/null | grep -q "^{\"event\":\"run-end\""'
finish
