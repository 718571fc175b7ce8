#!/bin/sh
# What is ignored is what git ignores: random rules, read by git and by the tree's own reader.
. "${0%/*}/lib.sh"
ask=$BUILD/t/ask-tree
rounds=${ROUNDS:-60}

sources() { "$ask" "$1" sources | tr '\0' '\n'; }
git_sources() { git -C "$1" ls-files -z --cached --others --exclude-standard | tr '\0' '\n' | sort; }
agree() {       # in FOLDER: git's list, files that are there, and ours
	sources "$1" >"$T/ours" && git_sources "$1" >"$T/theirs" || return
	(cd "$1" && while IFS= read -r path; do [ ! -e "$path" ] && [ ! -L "$path" ] || echo "$path"; done) <"$T/theirs" >"$T/there"
	diff -u "$T/there" "$T/ours"
}

# Files whose names the patterns below like to hit.
plant() {
	set -- "$1" . a b ab a/b a/ab b/a b/a/b .d foo foo/bar foobar 'a b' '[x]' a/b/c
	repo=$1
	shift
	for dir; do mkdir -p "$repo/$dir"; done
	for dir; do
		for file in a.c b.o ab x.log .h 'a b' '#c' '!n' foo 'star*' 'back\slash' 'tail '; do
			echo >"$repo/$dir/f$file"
			case $file in ab | foo | .h) [ -e "$repo/$dir/$file" ] || echo >"$repo/$dir/$file" ;; esac
		done
	done
	ln -sf a "$repo/link"
}
# Random .gitignore files, the same for the same number.
rules() {
	perl -e '
		my ($root, $seed) = @ARGV;
		srand $seed;
		sub any { $_[int rand @_] }
		my @parts = ("a", "b", "ab", "foo", "bar", "f", "*", "**", "***", "?", "*.c", "*.o", "f*", "*b", "[ab]", "[!a]", "[^f]*", "[a-c]",
			"[]a]", "[[:alpha:]]", "[[:digit:][:lower:]]*", "[a", "\\a", "\\*", "\\[x]", "foo**", "**o", "f\\#c", "f[!]b]*", ".*", ".d",
			"a\\ b", "a b", "fx.log", "f?", "*a*b*", "[a/]", "[\\]a]", "[b-]", "[--f]", "\\", "{a,b}", "f!n", "[[:bad:]]", "[[:alpha:]", "fback*", "fback\\\\slash");
		sub line {
			my $text = join any("", "/", "/", "/", "\\/"), map { any(@parts) } 1 .. 1 + int rand 3;
			$text = any("", "", "", "/", "!", "!", "!/", "\\!", "#", "\\#", " ", "**/") . $text;
			return $text . any("", "", "", "/", "/", "/**", "/*", " ", "\\ ", "  ", "\t", "\r", "*/", "\\");
		}
		for my $dir ("", "a", "b/a", "foo", ".d") {
			my $file = "$root/$dir/.gitignore";
			unlink $file;
			next if $dir ne "" && rand() < .5;
			open my $out, ">", $file or die;
			print $out "\xef\xbb\xbf" if rand() < .1;
			print $out line(), "\n" for 1 .. 1 + int rand 6;
			print $out line() if rand() < .1;
		}' "$1" "$2"
}

mkdir repo
plant repo
git init -q repo
failed=
for round in $(seq "$rounds"); do
	rules repo "$round"
	agree repo >"$T/difference" 2>&1 || { failed=$round; break; }
done
[ -z "$failed" ] || { for f in repo/.gitignore repo/*/.gitignore repo/*/*/.gitignore; do echo "$f:"; cat -A "$f"; done; } >>"$T/difference" 2>&1
test -z "$failed"
result $? "$rounds random sets of rules" "$T/difference"

rules repo 1001
printf '%s\n' 'foo/' '*.c' '/b/' '!fa.c' >repo/.gitignore
git -C repo add -f foo/bar/fab foo/fa.c b/a/b/fb.o fb.o fa.c
rm repo/b/a/b/fb.o
check 'tracked files count though they are ignored, if they are there' agree repo
sources repo >ours
check 'such as this one' grep -qx foo/bar/fab ours
check 'and not this one' not grep -qx b/a/b/fb.o ours

(cd repo/a && git -C .. rev-parse >/dev/null && printf '%s\n' 'x.log' '/a/ab' 'fab' >../.gitignore)
(cd repo/a && git ls-files -z --cached --others --exclude-standard | tr '\0' '\n' | sort) >theirs
sources repo/a >ours
check 'a workspace below the top of its work tree heeds the rules above it' diff -u theirs ours

echo '/a/' >repo/.gitignore
find repo/a -mindepth 1 \( -type f -o -type l \) -printf '%P\n' | sort >all
rm repo/a/.gitignore repo/a/*/.gitignore 2>/dev/null
find repo/a -mindepth 1 \( -type f -o -type l \) -printf '%P\n' | sort >all
sources repo/a >ours
check 'but not when they ignore it: then it is no part of that tree' diff -u all ours

git config --file global core.excludesFile "$T/w/excludes"
echo '*' >excludes
: >repo/.gitignore
GIT_CONFIG_GLOBAL=$T/w/global sources repo >ours
check 'what a global file ignores counts' grep -qx ab/fab ours
echo '*' >repo/.git/info/exclude
sources repo >ours
check 'and what .git/info/exclude ignores' grep -qx ab/fab ours
finish
