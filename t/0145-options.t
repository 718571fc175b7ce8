#!/bin/sh
# Options of one run never remove anything: what a run with -V or a param made stays beside what others made.
. "${0%/*}/lib.sh"

spec <<-'END'
	cairn: 1
	vars: {mode: release, extra: x}
	commands:
	  build:
	    run: mkdir -p out/${{ vars.mode }} && echo ${{ vars.mode }} >out/${{ vars.mode }}/app
	    inputs: []
	    outputs: ["out/${{ vars.mode }}/app"]
	  each:
	    each: {at: "parts/*.${{ vars.mode }}"}
	    run: cp ${{ sh(each.at) }} ${{ sh(out[0]) }}
	    inputs: ["${{ each.at }}"]
	    outputs: ["made/${{ each.at.name }}"]
	  param:
	    params: {p: {default: a}}
	    run: echo $p >par/${{ params.p }}
	    inputs: []
	    outputs: ["par/${{ params.p }}"]
	  all:
	    run: echo ${{ vars.mode }} >list
	    needs: [build, each, param]
	    inputs: ["[ob]*/**", "m*e/**", "pa?/**"]
	    outputs: [list]
END
mkdir parts
for mode in release debug test; do echo 1 >parts/a.$mode; done
run_all() { run "$@" all; }
check 'as the spec has it' run_all
check 'with another var' run_all -V mode=debug
expect_states 'build ran' 'each[at=parts/a.debug] ran' 'param hit' 'all ran'
check 'with another param' run param --p=b
for file in out/release/app made/a.release par/a out/debug/app made/a.debug par/b; do
	check "$file is there" test -f $file
done
check 'as the spec has it, again' run_all
expect_states 'build hit' 'each[at=parts/a.release] hit' 'param hit' 'all restored'
check 'and again, with what options made beside it, which is no source' run_all
expect_states 'build hit' 'each[at=parts/a.release] hit' 'param hit' 'all hit'
check 'which is there' ls out/debug/app par/b
check 'a step that only the var makes is none of the spec' not test -e made/a.debug
check 'with the var' run_all -V mode=debug
expect_states 'build hit' 'each[at=parts/a.debug] restored' 'param hit' 'all restored'
check 'with a third value' run build -V mode=test
check 'nothing is gone' ls out/release/app out/debug/app out/test/app
check 'an edited step' sed -i 's/echo \${{ vars.mode }}/echo new ${{ vars.mode }}/' cairn.yaml
check 'is made anew' run build
check 'and others are as they were' grep -qx debug out/debug/app
check 'with the var, that one is' run build -V mode=debug
check 'in its place' grep -qx 'new debug' out/debug/app
check 'and the other is as it was' grep -qx 'new release' out/release/app

sed -i 's|out/\${{ vars.mode }}|bin|g' cairn.yaml
check 'the spec has another place for it' run_all
check 'what was made there without options goes' not test -e out/release/app
check 'what was made with some stays' ls out/debug/app out/test/app
check 'until it is cleaned' cairn clean build
check 'all of it' sh -c '! ls out/debug/app && ! ls out/test/app && ! ls bin/app'
check 'a var that changes nothing here' run_all -V extra=y
check 'and a run without it' run_all
echo 3 >parts/b.release
rm parts/a.release
check 'a source is gone' run_all
check 'and so is what was made of it, with and without options' not test -e made/a.release
sed -i '/^  each:/,/^    outputs/d; s/ each,//; s|"m\*e/\*\*", ||' cairn.yaml
check 'a command is no more' run_all
check 'and has left nothing' not test -e made/b.release
finish
