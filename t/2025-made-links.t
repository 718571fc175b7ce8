#!/bin/sh
# A link that a step made, as an input of another: what it leads to counts as it is now.
. "${0%/*}/lib.sh"

mkdir folder "$T/outside"
echo 1 >file
echo 1 >folder/file
echo 1 >"$T/outside/file"
echo 1 >"$T/lone"
spec <<-END
	cairn: 1
	commands:
	  make: {run: echo 1 >made.out, inputs: [source], outputs: [made.out]}
	  link: {run: "ln -s file to-file; ln -s folder to-folder; ln -s none to-none; ln -s made.out to-made", needs: [{step: make, order_only: true}],
	    inputs: [], outputs: [to-file, to-folder, to-none, to-made], tools: [ln]}
	  out: {run: "ln -s $T/outside to-out; ln -s $T/lone to-lone", inputs: [], outputs: [to-out, to-lone], tools: [ln]}
	  file: {run: cat to-file >file.out, needs: [{step: link, order_only: true}], inputs: [to-file], outputs: [file.out]}
	  folder: {run: cat to-folder/* >folder.out, needs: [{step: link, order_only: true}], inputs: [to-folder], outputs: [folder.out]}
	  all: {run: cat to-file to-folder/* >all.out, needs: [link], inputs: [], outputs: [all.out]}
	  outside: {run: cat to-out/file >outside.out, needs: [{step: out, order_only: true}], inputs: [to-out], outputs: [outside.out]}
	  lone: {run: cat to-lone >lone.out, needs: [{step: out, order_only: true}], inputs: [to-lone], outputs: [lone.out]}
	workflows:
	  default: {steps: [file, folder, all, outside, lone]}
END
echo 1 >source
check 'links that steps make' run
check 'again' run
expect_states 'make hit' 'link hit' 'out hit' 'file hit' 'folder hit' 'all hit' 'outside hit' 'lone hit'

echo 2 >file
check 'the file one leads to changes' run
expect_states 'make hit' 'link hit' 'out hit' 'file ran' 'folder hit' 'all ran' 'outside hit' 'lone hit'
check 'and is read' grep -qx 2 file.out
check 'again' run
expect_states 'make hit' 'link hit' 'out hit' 'file hit' 'folder hit' 'all hit' 'outside hit' 'lone hit'
echo 3 >folder/new
check 'the folder one leads to gets a file' run
expect_states 'make hit' 'link hit' 'out hit' 'file hit' 'folder ran' 'all ran' 'outside hit' 'lone hit'
echo 4 >"$T/lone"
check 'a file outside changes' run
expect_states 'make hit' 'link hit' 'out hit' 'file hit' 'folder hit' 'all hit' 'outside hit' 'lone ran'

echo 5 >"$T/outside/file"
check 'a folder outside is the text of the link' run
expect_states 'make hit' 'link hit' 'out hit' 'file hit' 'folder hit' 'all hit' 'outside hit' 'lone hit'
mkdir "$T/outside/closed"
ln -s /proc/self "$T/outside/proc"
rm to-out
check 'however much it holds, nothing of it is read' run
expect_states 'make hit' 'link hit' 'out restored' 'file hit' 'folder hit' 'all hit' 'outside hit' 'lone hit'

rm -f to-*
check 'links come back' run
expect_states 'make hit' 'link restored' 'out restored' 'file hit' 'folder hit' 'all hit' 'outside hit' 'lone hit'
echo 2 >source
check 'what one leads to is made anew' run
expect_states 'make ran' 'link hit' 'out hit' 'file hit' 'folder hit' 'all hit' 'outside hit' 'lone hit'
finish
