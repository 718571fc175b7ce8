#!/bin/sh
# The context of a container build, compared with engines that get all of it: what cairn leaves out of the tar, by ignore
# rules or because no reached stage reads it, changes nothing in the image, and nor does changing it.
. "${0%/*}/lib.sh"
ask=$BUILD/t/ask-context

plant() {
	rm -rf ws
	mkdir -p ws/src/deep ws/doc ws/conf/v1 ws/conf/v2 ws/node/pkg/lib ws/empty
	for file in src/a.c src/b.c src/a.h src/deep/d.c doc/m.md doc/secret conf/v1/x conf/v2/x node/pkg/lib/i.js run 'a b' '-dash' ü x.tmp; do
		echo "$file" >"ws/$file"
	done
	chmod 755 ws/run
	ln -s src/a.c ws/link
	ln -s ../doc/m.md ws/src/out
	(cd ws && tar czf archive.tar.gz doc)
	rm -rf unpacked
}
rules() { { cat; printf '%s\n' Containerfile .dockerignore; } >ws/.dockerignore; }

# --- what an engine makes of it ------------------------------------------------------------------
sent() {        # NAME QUERY: builds from the tar in the file sent.tar
	engine_api "/build?t=$1&q=1&forcerm=1&$2" -X POST -H 'Content-Type: application/x-tar' --data-binary @sent.tar >said &&
		not grep -q '"error' said || { cat said; return 1; }
}
# The engine gets the whole folder, and filters it itself: Docker's client does, and Podman's service.
build_whole() { # NAME BUILD-ARG...
	image=$1
	shift
	if [ "$ENGINE" = docker ]; then
		for arg; do
			shift
			set -- "$@" --build-arg "$arg"
		done
		DOCKER_BUILDKIT=0 DOCKER_CONFIG=$HOME DOCKER_HOST=unix://$ENGINE_SOCKET docker build -q -t "$image" -f ws/Containerfile "$@" ws >said 2>&1 || { cat said; return 1; }
	else
		tar -C ws -cf sent.tar . && sent "$image" "dockerfile=Containerfile&buildargs=$(build_args "$@")"
	fi
}
build_ours() {  # NAME BUILD-ARG...: Docker's classic builder builds all stages up to the target, so it gets what they read
	image=$1
	shift
	[ "$ENGINE" = podman ] && every= || every=every
	"$ask" tar ws/Containerfile ws $every "$@" >sent.tar && sent "$image" "dockerfile=.cairn~Containerfile&buildargs=$(build_args "$@")"
}
# BuildKit leaves out stages that are not reached, so it gets what the key rests on and no more.
build_buildkit() {      # NAME BUILD-ARG...
	image=$1
	shift
	rm -rf sent && mkdir sent && "$ask" tar ws/Containerfile ws "$@" | tar -xf - -C sent 2>/dev/null || return
	for arg; do
		shift
		set -- "$@" --build-arg "$arg"
	done
	DOCKER_BUILDKIT=1 DOCKER_CONFIG=$HOME DOCKER_HOST=unix://$ENGINE_SOCKET $buildkit build -q -t "$image" -f sent/.cairn~Containerfile "$@" sent \
		>said 2>&1 || { cat said; return 1; }
}
# A client that can speak to it: one with buildx, or of the time before.
find_buildkit() {
	for buildkit in docker /usr/bin/docker ''; do
		[ -z "$buildkit" ] || DOCKER_BUILDKIT=1 DOCKER_CONFIG=$HOME $buildkit build --help 2>/dev/null | grep -q -- --secret && return
	done
}
build_args() {  # as JSON, for an address
	json=
	for arg; do json="$json${json:+,}\"${arg%%=*}\":\"${arg#*=}\""; done
	echo "{$json}" | sed 's/{/%7B/; s/}/%7D/; s/"/%22/g'
}
tree() {        # NAME: what is in its /ctx: types, modes, links, contents
	id=$(engine_api /containers/create -X POST -H 'Content-Type: application/json' -d "{\"Image\":\"$1\",\"Cmd\":[\"x\"]}" |
		sed 's/.*"Id":"\([0-9a-f]*\)".*/\1/')
	rm -rf unpacked && mkdir unpacked
	engine_api "/containers/$id/archive?path=/ctx" | tar -xpf - -C unpacked 2>/dev/null
	status=$?
	engine_api "/containers/$id" -X DELETE
	(cd unpacked && find . -mindepth 2 -printf '%P %y %m %l\n' -type f -exec sha256sum {} \;) | sort
	chmod -R u+rwX unpacked
	return $status
}

# --- the property --------------------------------------------------------------------------------
# All that does not count for the key is changed, and more is added.
spoil() {
	"$ask" list ws/Containerfile ws "$@" >listed || return
	(cd ws && find . -type f -printf '%P\n') | grep -vxF -f listed -e Containerfile -e .dockerignore | while IFS= read -r file; do
		echo spoilt >>"ws/$file"
	done
	echo new >ws/new.tmp
}
prove_it() {    # BUILD-ARG...
	built=localhost/context-$$
	build_whole "$built:whole" "$@" && tree "$built:whole" >whole &&
		build_ours "$built:ours" "$@" && tree "$built:ours" >ours || return
	diff -u whole ours || return
	if [ "$ENGINE" = docker ] && [ "$buildkit" ]; then
		build_buildkit "$built:buildkit" "$@" && tree "$built:buildkit" >ours && diff -u whole ours || return
	fi
	test -s ours || { echo "nothing in the image"; return 1; }
	before=$("$ask" key ws/Containerfile ws "$@") && spoil "$@" && after=$("$ask" key ws/Containerfile ws "$@") || return
	[ "$before" = "$after" ] || { echo "another key"; return 1; }
	build_whole "$built:spoilt" "$@" && tree "$built:spoilt" >spoilt && diff -u whole spoilt
	status=$?
	for tag in whole ours buildkit spoilt; do engine_api "/images/$built:$tag?force=1" -X DELETE >/dev/null; done
	return $status
}
same_for() {    # WHAT [ARG=VALUE...]; the Containerfile's lines behind the first stand in the file body
	what=$1
	shift
	{ cat body; } >ws/Containerfile
	check "$ENGINE: $what" prove_it "$@"
	plant
	rules </dev/null
}
case_of() { cat >body; }

cases() {
	plant
	rules <<-'END'
		# what is left out, and what comes back
		*.tmp
		src
		!src/*.c
		**/secret
		node/**
		!node/pkg/lib
	END
	case_of <<-END
		FROM $IMAGE
		COPY . /ctx/
	END
	same_for 'the whole context, by ignore rules'

	case_of <<-END
		FROM $IMAGE
		copy src/*.c \\
		  # a comment

		  run ./-dash /ctx/
		COPY ["ü", "a b", "/ctx/any/"]
		ADD archive.tar.gz /ctx/
		ADD --chown=1:1 conf/v1/x /ctx/
	END
	same_for 'some files and an archive'

	rules <<-'END'
		*
		!s*
		!doc/m.md
		src/[b-d]*
	END
	case_of <<-END
		FROM $IMAGE
		COPY s?c /ctx/src/
		COPY d[a-p]* /ctx/any/
		COPY src/../doc/ /ctx/doc
	END
	same_for 'folders, by wildcards and ignore rules'

	case_of <<-END
		ARG BASE=$IMAGE
		FROM \$BASE AS one
		COPY doc /one/
		FROM \$BASE AS two
		COPY node src/a.h /two/
		FROM one AS three
		ONBUILD COPY src/a.c /ctx/
		FROM three
		COPY src/deep /ctx/deep
		COPY --from=0 /one/m.md /ctx/
	END
	same_for 'stages and triggers'

	case_of <<-END
		FROM $IMAGE
		ARG V=v2
		ENV DIR=conf SUB=\$V
		COPY \$DIR/\${SUB:-v2} /ctx/\$V
		COPY \${NONE:-run} \${V:+src/a.c} /ctx/
	END
	same_for 'arguments and variables' V=v1

	echo '*.tmp' | rules            # a link makes all of the rest count
	case_of <<-END
		FROM $IMAGE
		COPY link /ctx/linked
		COPY src/ou* /ctx/
	END
	same_for 'links'

	if [ "$ENGINE" = docker ]; then
		[ "$buildkit" ] || { tests=$((tests + 1)); echo "ok $tests - docker: BuildKit # SKIP no docker client here can speak to it"; }
		return
	fi
	case_of <<-END
		FROM $IMAGE
		RUN --mount=type=bind,source=src,target=/s mkdir /ctx && cp -r /s/deep /ctx
	END
	same_for 'mounts'
}

# What is sent beside the context is not copied, and the Containerfile is where it is looked for.
apart() {
	plant
	rules </dev/null
	printf 'FROM %s\nCOPY . /ctx/\n' "$IMAGE" >other
	"$ask" tar other ws >sent.tar && sent "localhost/apart-$$" 'dockerfile=.cairn~Containerfile' && tree "localhost/apart-$$" >got || return
	engine_api "/images/localhost/apart-$$?force=1" -X DELETE >/dev/null
	not grep -e cairn -e ignore -e Containerfile got && grep -q '^ctx/run f 755' got
}
both() {
	find_buildkit
	cases
	check "$ENGINE: the Containerfile and ignore files are not copied" apart
	plant
}
for_engines both

# --- without engines -----------------------------------------------------------------------------
plant
rules </dev/null
printf 'FROM a\nCOPY src /\n' >ws/Containerfile
sum() { "$ask" tar ws/Containerfile ws | sha256sum; }
one=$(sum)
cp -r ws again && (cd again && find . -exec touch -h -d 2001-02-03 {} + && chmod -R go-rwx .)
two=$(cd again && "$ask" tar Containerfile . | sha256sum)
check 'the same bytes from another copy, under another umask' test "$one" = "$two"
key=$("$ask" key ws/Containerfile ws)
check 'and the same key' test "$key" = "$("$ask" key again/Containerfile again)"
printf 'FROM a\nADD http://127.0.0.1/x /\n' >ws/Containerfile
check 'what an address brings has no key' test -z "$("$ask" key ws/Containerfile ws)"
finish
