#!/bin/sh
# Facts about the repository: a commit may be on no branch and have no tag, and what asks for them is no mistake there.
. "${0%/*}/lib.sh"

spec <<-'END'
	cairn: 1
	commands:
	  plain: {run: cat in, inputs: [in]}
	  tag: {run: 'echo "tag ${{ git.tag }}"', inputs: []}
	  otherwise: {run: 'echo "${{ default(git.tag, "none") }} ${{ default(git.branch, "nowhere") }}"', inputs: []}
	  deploy: {run: "true", when: '${{ git.branch == "main" && !git.tag }}'}
	workflows:
	  all: {steps: [plain, tag, otherwise, deploy]}
END
echo 1 >in
says() { run all >/dev/null 2>&1; cairn log "$1" | grep -qx "$2"; }
check 'without a repository' run all
expect_states 'plain ran' 'tag ran' 'otherwise ran' 'deploy skipped'
check 'there is no tag' says tag 'tag '
check 'and default() gives one' says otherwise 'none nowhere'

git init -q -b main
git add -A
git commit -qm 1
check 'on a branch' run all
expect_states 'plain hit' 'tag hit' 'otherwise ran' 'deploy ran'
check 'which has a name' says otherwise 'none main'

git checkout -q --detach
check 'on none' run all
expect_states 'plain hit' 'tag hit' 'otherwise hit' 'deploy skipped'
check 'default() gives one' says otherwise 'none nowhere'

git tag v1
check 'with a tag' run all
expect_states 'plain hit' 'tag ran' 'otherwise ran' 'deploy skipped'
check 'which has a name' says tag 'tag v1'

sed -i 's/git.tag }}"/git.comit }}"/' cairn.yaml
refuse 2 'a fact that there never is is a mistake' run plain
check 'with its place' grep -q '^cairn.yaml:4:' "$OUT"
check 'and a hint' grep -q 'git.commit' "$OUT"
rm -rf .git
sed -i 's/git.comit/git.commit/' cairn.yaml
refuse 2 'and so is the commit of no repository' run plain
finish
