#!/bin/sh
# A link as an input stands for what it leads to.
. "${0%/*}/lib.sh"

mkdir data more
echo 1 >data/a
ln -s data/a file
ln -s via/a far
ln -s data via
ln -s data folder
ln -s nowhere none
spec <<-'END'
	cairn: 1
	commands:
	  file: {run: cat file >file.out, inputs: [file], outputs: [file.out]}
	  far: {run: cat far >far.out, inputs: [far], outputs: [far.out]}
	  folder: {run: cat folder/* >folder.out, inputs: [folder], outputs: [folder.out]}
	  none: {run: "! cat none >none.out", inputs: [none], outputs: [none.out]}
END
check 'links as inputs' run file far folder none
check 'again' run file far folder none
expect_states 'file hit' 'far hit' 'folder hit' 'none hit'

echo 2 >data/a
check 'the file they lead to changes' run file far folder none
expect_states 'file ran' 'far ran' 'folder ran' 'none hit'
check 'again' run file far folder none
expect_states 'file hit' 'far hit' 'folder hit' 'none hit'

echo 3 >data/b
check 'the folder one leads to gets a file' run file far folder none
expect_states 'file hit' 'far hit' 'folder ran' 'none hit'

echo 4 >more/a
ln -sfn more via
check 'a link on the way leads elsewhere' run file far folder none
expect_states 'file hit' 'far ran' 'folder hit' 'none hit'

ln -sfn data via
echo 1 >beside
cat >>cairn.yaml <<-'END'
	  beside: {run: cat beside, inputs: [beside]}
END
check 'a step beside' run folder beside
for new in file folder; do
	echo $new >>beside
	check 'in a run that looks at another step' run folder beside
	expect_states 'folder hit' 'beside ran'
	[ $new = file ] && echo 6 >data/late || mkdir data/.void
	check "the folder a link leads to gets a $new" run folder beside
	expect_states 'folder ran' 'beside hit'
done

echo 5 >nowhere
refuse 1 'what a dangling one leads to comes' run none
finish
