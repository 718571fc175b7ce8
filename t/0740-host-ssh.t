#!/bin/sh
# host_ssh: the way back from a step in a container, by a real SSH client and by cairn-host where there is none. Who may come,
# what is run, and what is left of it afterwards.
. "${0%/*}/lib.sh"

SSH_IMAGE=localhost/cairn-t-ssh-$$:1

# Busybox, this machine's ssh, and what that needs.
image_with_ssh() {
	box=$T/box
	mkdir -p "$box/bin" "$box/etc" "$box/root" "$box/tmp"
	chmod 1777 "$box/tmp"
	cp "$(command -v busybox)" "$box/bin/busybox"
	for applet in sh cat echo mv sleep test touch env grep; do ln -s busybox "$box/bin/$applet"; done
	printf 'root:x:0:0:root:/root:/bin/sh\n' >"$box/etc/passwd"
	cp "$(command -v ssh)" "$box/bin/ssh"
	for lib in $(ldd "$(command -v ssh)" | grep -o '/[^ ]*'); do
		mkdir -p "$box${lib%/*}"
		cp -L "$lib" "$box$lib"
	done
	"$top/t/testbed/engines.sh" image "$box" "$SSH_IMAGE" "$T/image.tar" '"Env":["PATH=/bin"]'
}
write_spec() {
	cat >askpass <<-'EOF'
		#!/bin/sh
		echo "$TOKEN"
	EOF
	cat >client <<-'EOF'
		#!/bin/sh
		# TOKEN USER COMMAND
		export SSH_ASKPASS=/workspace/askpass SSH_ASKPASS_REQUIRE=force TOKEN=$1
		exec ssh -F none -o UserKnownHostsFile="$CAIRN_SSH_KNOWN_HOSTS" -o StrictHostKeyChecking=yes \
			-p "$CAIRN_SSH_PORT" "$2@$CAIRN_SSH_HOST" "$3"
	EOF
	chmod +x askpass client
	mkdir -p sub
	spec <<-EOF
		cairn: 1
		images: {ssh: {image: "$SSH_IMAGE", pull: never}, box: {image: "$IMAGE", pull: never}}
		defaults: {image: ssh}
		commands:
		  right:
		    host_ssh: true
		    run: |
		      set +e
		      ./client "\$CAIRN_SSH_TOKEN" cairn 'echo out; echo err >&2; pwd; echo \$CALLER; exit 42' >ssh.out 2>ssh.err
		      echo \$? >ssh.status
		      ./client "\$CAIRN_SSH_TOKEN" cairn "curl -s --unix-socket \$SOCKET http://d/v1.41/containers/\$HOSTNAME/json" >inspect
		      echo "\$CAIRN_SSH_TOKEN" >token
		      echo "the token is \$CAIRN_SSH_TOKEN"
		      echo "\$CAIRN_SSH_HOST:\$CAIRN_SSH_PORT" >where
		    pass_env: [SOCKET]
		  wrong:
		    host_ssh: true
		    run: |
		      set +e
		      ./client wrong cairn 'touch entered'; echo \$? >wrong.status
		      ./client "\$CAIRN_SSH_TOKEN" root 'touch entered'; echo \$? >user.status
		      ./client "\$(cat token)" cairn 'touch entered'; echo \$? >old.status
		      ./client "\$CAIRN_SSH_TOKEN" cairn true; echo \$? >still.status
		  left:
		    host_ssh: true
		    run: |
		      set +e
		      ./client "\$CAIRN_SSH_TOKEN" cairn 'echo \$\$ >left.new; mv left.new left.pid; exec sleep 1000' &
		      while [ ! -s left.pid ]; do sleep 0.1; done
		  none:
		    host_ssh: true
		    run: "env >none.env; cairn-host sh -c 'exit 3'"
		    network: none
		  host:
		    host_ssh: true
		    image: box
		    network: none
		    run: |
		      set +e
		      cairn-host sh -c 'echo out; echo err >&2; pwd; echo \$CALLER; exit 42' >host.out 2>host.err; echo \$? >host.status
		      cairn-host sh -c 'kill -9 \$\$'; echo \$? >host.signal
		      cairn-host no-such-program 2>host.missing; echo \$? >>host.missing
		      (cd sub && cairn-host pwd) >host.pwd
		      head -c 3000000 /dev/zero | cairn-host cksum >host.cksum
		      cairn-host head -c 3000000 /dev/zero | wc -c >host.size
		      head -c 3000000 /dev/zero | cairn-host true; echo \$? >host.unread
		      cairn-host sh -c 'echo \$\$ >host.new; mv host.new host.pid; exec sleep 1000' &
		      while [ ! -s host.pid ]; do sleep 0.1; done
		  without: {image: box, network: none, run: "command -v cairn-host || env | grep -E '^CAIRN_(SSH|HOST)' || true"}
	EOF
}
holds() { printf "$2" | diff - "$1"; }
gone() { [ -s "$1" ] && ! kill -0 "$(cat "$1")" 2>/dev/null; }

by_ssh() {
	check "$ENGINE: a step goes back by ssh" run right
	check "$ENGINE: its output is the command's" holds ssh.out "out\n$PWD\nmine\n"
	check "$ENGINE: so are its errors" grep -qx err ssh.err
	check "$ENGINE: and its status" holds ssh.status '42\n'
	check "$ENGINE: the token was one" grep -qxE '[0-9a-f]{64}' token
	check "$ENGINE: what inspect tells" grep -q '"Image"' inspect
	check "$ENGINE: does not hold it" not grep -qF "$(cat token)" inspect
	check "$ENGINE: nor does the log" not grep -qF "$(cat token)" "$EVENTS"
	check "$ENGINE: where it is masked" grep -qF 'the token is ***' "$EVENTS"
	refuse 7 "$ENGINE: nothing listens when the step is over" curl -s "http://$(cat where)"
	check "$ENGINE: those who must not" run wrong
	check "$ENGINE: a wrong token is refused" holds wrong.status '255\n'
	check "$ENGINE: another user is" holds user.status '255\n'
	check "$ENGINE: the token of a step that is over is" holds old.status '255\n'
	check "$ENGINE: the right one still goes" holds still.status '0\n'
	check "$ENGINE: nothing was run for the others" test ! -e entered
	check "$ENGINE: a step that leaves a command running" run left
	check "$ENGINE: has it ended" gone left.pid
}
by_cairn_host() {
	check "$ENGINE: a step goes back by cairn-host" run host
	check "$ENGINE: its output is the command's too" holds host.out "out\n$PWD\nmine\n"
	check "$ENGINE: its errors stay apart" holds host.err 'err\n'
	check "$ENGINE: its status" holds host.status '42\n'
	check "$ENGINE: a signal" holds host.signal '137\n'
	check "$ENGINE: a program that is not there" sh -c 'grep -q no-such-program host.missing && grep -qx 255 host.missing'
	check "$ENGINE: it is in the same folder" holds host.pwd "$PWD/sub\n"
	check "$ENGINE: much input arrives" same host.cksum zeros
	check "$ENGINE: and much output" holds host.size '3000000\n'
	check "$ENGINE: input that nobody reads holds nothing up" holds host.unread '0\n'
	check "$ENGINE: what runs at the step's end is ended" gone host.pid
	refuse 1 "$ENGINE: without a network" run none
	check "$ENGINE: its status is the step's" grep -q '"step-end","step":"none",.*"status":3' "$EVENTS"
	check "$ENGINE: there is no ssh" not grep -q CAIRN_SSH none.env
	check "$ENGINE: without host_ssh" run without
	check "$ENGINE: there is no way back" not grep -q '"step-output"' "$EVENTS"
}
all_of_engine() {
	rm -rf ./*
	write_spec
	[ -e "$T/image.tar" ] || image_with_ssh
	export CALLER=mine SOCKET="$ENGINE_SOCKET"
	head -c 3000000 /dev/zero | cksum >zeros
	check "$ENGINE: an image with ssh is loaded" engine_api /v1.41/images/load -X POST -H 'Content-Type: application/x-tar' -T "$T/image.tar"
	by_ssh
	by_cairn_host
	engine_api "/v1.41/images/$SSH_IMAGE" -X DELETE >"$OUT"
}
for_engines all_of_engine
finish
