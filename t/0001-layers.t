#!/bin/sh
# The rooms of doc/architecture.md: who may include whom, held by the includes themselves.
. "${0%/*}/lib.sh"

rooms() { ls -d src runtimes cache generators 2>/dev/null; }     # git keeps no empty folder
layers() {      # of the tree in the folder $1
	(cd "$1" && awk -f "$top/t/layers.awk" $(find $(rooms) -name '*.[ch]' | sort)) >found 2>&1 && test ! -s found && return
	cat found
	return 1
}
# planted NAME FILES LINE SAYS: with LINE added to each of FILES in a sound little tree, one sentence that matches
# SAYS is the whole answer; without FILES the tree passes.
planted() {
	rm -rf tree
	mkdir -p tree/src/base tree/src/sys tree/src/plan tree/src/exec tree/src/cli tree/runtimes tree/cache tree/generators
	(
		cd tree
		echo '#include <yaml.h>' >src/base/yaml.c
		echo '#include "yaml.h"' >src/base/node.c
		: >src/base/yaml.h
		echo '#include "base/yaml.h"' >src/sys/file.h
		echo '#include "sys/file.h"' >src/plan/plan.h
		printf '%s\n' '#include "plan/plan.h"' 'extern const struct runtime runtime_x;' >runtimes/runtime.h
		printf '%s\n' '#include "runtimes/runtime.h"' 'const struct runtime runtime_x = {' >runtimes/x.c
		printf '%s\n' '#include "runtimes/runtime.h"' 'runtime_x' >src/registry.c
		printf '%s\n' '#include "plan/plan.h"' '#include "runtimes/runtime.h"' >src/exec/run.h
		echo '#include "exec/run.h"' >src/main.c
		[ -z "$2" ] || for file in $2; do echo "$3" >>"$file"; done
	)
	if [ -z "$2" ]; then
		check "$1" layers tree
	else
		not layers tree >answer && test "$(wc -l <answer)" -eq 1 && grep -q -- "$4" answer
		result $? "$1" answer
	fi
}

check 'the rooms know only what lies to their left' layers "$top"

planted 'a sound tree passes' '' '' ''
planted 'a room to the right is seen' src/base/node.c '#include "sys/file.h"' '^src/base/node.c:2: base may not include src/sys/file.h'
planted 'also through a deeper room' src/plan/make.c '	# include "exec/run.h"' 'plan may not include src/exec/run.h'
planted 'an interface left of resolve is seen' src/plan/make.c '#include "runtimes/runtime.h"' 'may not know the interface'
planted 'a plug-in that looks into exec is seen' runtimes/y.c '#include "exec/run.h"' 'a plug-in includes'
planted 'a plug-in that looks into another kind is seen' cache/y.c '#include "runtimes/runtime.h"' 'a plug-in includes'
planted 'a plug-in named elsewhere is seen' src/exec/go.c 'return &runtime_x;' 'only src/registry.c names the plug-in runtime_x'
planted 'a second door to a library is seen' src/exec/go.c '#include <yaml.h>' 'yaml already has its door, src/base/yaml.c'
planted 'headers of one library share its door' 'src/sys/sha.c src/sys/tls.c' '#include <openssl/evp.h>' 'openssl already has its door'
planted 'a name in two rooms is seen' cache/node.c '' 'the name node is taken in'
planted 'an include of nothing is seen' src/exec/go.c '#include "base/none.h"' '"base/none.h" is no file'
finish
