#!/bin/sh
# What is told of a run beside progress: JUnit XML, and what GitHub Actions and GitLab show, found without being asked for.
. "${0%/*}/lib.sh"

xml() {         # EXPRESSION over suite (the testsuite) and case(NAME), which must be true
	/usr/bin/python3 - junit.xml "$1" <<-'END'
		import sys, xml.etree.ElementTree as tree
		root = tree.parse(sys.argv[1]).getroot()
		assert root.tag == "testsuites" and len(root) == 1, root
		suite = root[0]
		assert suite.tag == "testsuite" and all(c.tag == "testcase" for c in suite)
		for what, tags in (("failures", ["failure"]), ("errors", ["error"]), ("skipped", ["skipped"])):
		    n = sum(1 for c in suite for e in c if e.tag in tags)
		    assert root.get(what) == suite.get(what) == str(n), (what, n, suite.attrib)
		assert suite.get("tests") == str(len(suite))
		def case(name):
		    found = [c for c in suite if c.get("name") == name]
		    assert len(found) == 1, name
		    return found[0]
		def state(name):
		    return case(name).find("properties/property[@name='state']").get("value")
		ok = eval(sys.argv[2])
		if not ok:
		    print(open(sys.argv[1]).read())
		sys.exit(not ok)
	END
}
spec <<'END'
cairn: 1
name: a & b
commands:
  good: {run: "echo fine >good.out", inputs: [in], outputs: [good.out]}
  bad: {run: "printf '\\033[31mred\\033[0m <tag> & \\377 \\001\\n::notice::x\\n'; echo '```' >&2; exit 3", inputs: [in], needs: [good]}
  after: {run: "true", needs: [bad]}
  off: {run: "true", when: "${{ 1 == 2 }}"}
  slow: {run: "sleep 30", timeout: 100ms}
  axes: {run: "true", matrix: {axes: {v: ["1", "<2>"]}}, inputs: []}
  quiet: {run: "echo of quiet"}
  loud: {run: "echo of loud; exit 1", needs: [quiet]}
END
echo 1 >in

# --- JUnit ---
check 'a run that goes well' cairn run --junit=junit.xml good axes
check 'has a case for each step' xml 'suite.get("tests") == "3" and suite.get("failures") == "0"'
check 'in a suite named like the spec' xml 'suite.get("name") == "a & b"'
check 'of the class of its command' xml 'case("axes[v=<2>]").get("classname") == "axes"'
check 'with its state' xml 'state("good") == "ran"'
check 'again' cairn run --junit=junit.xml good axes
check 'they are hits, and good' xml 'state("good") == "hit" and suite.get("skipped") == "0" and suite.get("tests") == "3"'
refuse 1 'a run that does not' cairn run -k --junit=junit.xml bad after off slow
check 'tells what failed' xml 'case("bad").find("failure").get("type") == "failed" and "3" in case("bad").find("failure").get("message")'
check 'with its output, readable' xml '"red <tag> & \ufffd \ufffd\n" in case("bad").find("failure").text and "\033" not in case("bad").find("failure").text'
check 'what timed out' xml 'case("slow").find("failure").get("type") == "timed-out"'
check 'what was not tried' xml 'case("after").find("skipped") is not None and state("after") == "blocked"'
check 'and what was left out' xml 'state("off") == "skipped"'
refuse 2 'a dry run has none' cairn run -n --junit=x.xml good
refuse 3 'where it cannot be written, that is an error' cairn run --junit=in/x.xml good
check 'it is named' grep -q 'in/x.xml' "$OUT"

# --- GitHub ---
GITHUB_ACTIONS=true GITHUB_STEP_SUMMARY=$T/summary GITHUB_WORKSPACE=$T
export GITHUB_ACTIONS GITHUB_STEP_SUMMARY GITHUB_WORKSPACE
echo before >"$T/summary"
refuse 1 'on GitHub' cairn run -k bad slow
check 'a failure is an annotation at its step' grep -qx '::error file=w/cairn.yaml,line=5,col=[0-9]*,title=bad::failed: .*' "$OUT"
check 'and so is a timeout' grep -q '^::error file=w/cairn.yaml,line=8,.*title=slow::timed-out' "$OUT"
check 'which stand at the end' sh -c 'tail -n 2 "$1" | grep -c ^::error | grep -qx 2' sh "$OUT"
check 'the summary is added to what is there' sh -c 'head -n 1 "$1" | grep -qx before && grep -q "^### cairn: a \\\\& b$" "$1"' sh "$T/summary"
check 'it counts' grep -q '^3 steps: .*1 failed, 1 timed-out' "$T/summary"
check 'and shows the output' grep -q '^red <tag>' "$T/summary"
check 'in a fence that it cannot end' grep -qx '````' "$T/summary"
check 'names are escaped' not grep -q '\[v=<' "$T/summary"
rm "$T/summary"
check 'a run with nothing to do' sh -c 'cairn run good && cairn run good'
check 'is counted as well' grep -q '^1 step: 1 hit' "$T/summary"
echo 'cairn: 1
commands: {x: {rum: y}}' >broken.yaml
refuse 2 'a mistake in the spec' cairn run -f broken.yaml
check 'is an annotation at its place' grep -q '^::error file=w/broken.yaml,line=2,col=[0-9]*,title=cairn::' "$OUT"
GITHUB_ACTIONS=
check 'elsewhere there is none' sh -c 'cairn run good && ! cairn run bad | grep -q ^::error'
unset GITHUB_ACTIONS GITHUB_STEP_SUMMARY GITHUB_WORKSPACE

# --- GitLab ---
sections() {    # of $OUT: each begins and ends once, none inside of another; prints "TITLE [collapsed]: LINES"
	/usr/bin/python3 - "$OUT" <<-'END'
		import re, sys
		text = open(sys.argv[1], errors="replace", newline="").read()
		parts = re.split(r"\x1b\[0Ksection_(start|end):(\d+):(\w+)(\[collapsed=true\])?\r\x1b\[0K", text)
		open_id, seen = None, set()
		for kind, time, name, folded, rest in zip(*[iter(parts[1:])] * 5):
		    if kind == "start":
		        assert open_id is None and name not in seen, name
		        open_id = name
		        seen.add(name)
		        title, body = rest.split("\n", 1)
		        print(title + (" collapsed" if folded else "") + ": " + " ".join(body.split()))
		    else:
		        assert open_id == name, (open_id, name)
		        open_id = None
		assert open_id is None
	END
}
GITLAB_CI=true
export GITLAB_CI
refuse 1 'on GitLab' cairn run loud
check 'a goal has a section' sh -c 'test "$1" = "loud: of loud"' sh "$(sections)"
refuse 1 'with all output' cairn run -v loud
check 'each step has one' test "$(sections | wc -l)" -eq 2
check 'what streams is open' sh -c 'echo "$1" | grep -qx "quiet: of quiet"' sh "$(sections)"
finish
