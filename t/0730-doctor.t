#!/bin/sh
# cairn doctor: what runs containers here, whether it does, and what to do where it does not.
. "${0%/*}/lib.sh"

# A machine without engines: no program podman on the PATH, and sockets only where a test makes them.
export XDG_RUNTIME_DIR="$T/run"
mkdir -p "$XDG_RUNTIME_DIR/podman" "$T/none"
socket=$XDG_RUNTIME_DIR/podman/podman.sock
listed() {      # URL FOUND: so it stands in the JSON
	"$BUILD/cairn" doctor --json >"$T/json"
	grep -qF "{\"url\":\"unix://$1\"," "$T/json" && tr '{' '\n' <"$T/json" | grep -F "\"url\":\"unix://$1\"" | grep -qF "\"found\":\"$2\"" ||
		{ cat "$T/json"; return 1; }
}
stale() { /usr/bin/python3 -c 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])' "$1"; }

refuse 1 'an engine that is named and not there' cairn doctor --engine=unix://$T/none/x.sock
check 'is a problem, by its name' grep -q "unable to use the container engine that --engine names, unix://$T/none/x.sock: No such file" "$OUT"
check 'and there is none' grep -q '^engine *none$' "$OUT"
refuse 1 'one that the configuration names' env CAIRN_CONTAINER_ENGINE=unix://$T/none/x.sock cairn doctor
check 'is told with who named it' grep -q 'CAIRN_CONTAINER_ENGINE' "$OUT"
refuse 2 'a word that is no engine' cairn doctor --engine=lxc
refuse 2 'an argument' cairn doctor me
check 'an empty place' listed "$socket" absent
stale "$socket"
check 'a socket that nobody listens at' listed "$socket" stale
refuse 1 'alone' cairn doctor --engine="$socket"
check 'is one to start the engine for' grep -q 'start the engine' "$OUT"
DOCKER_HOST=unix://$socket; export DOCKER_HOST
refuse 1 'DOCKER_HOST that is stale' cairn doctor
check 'is not passed over' grep -q 'that DOCKER_HOST names' "$OUT"
unset DOCKER_HOST
rm "$socket"

# Something that listens and is no engine, then nothing but a closed connection.
cat >listen.py <<'EOF'
import os, socket, sys
path, reply = sys.argv[1], sys.argv[2].encode().decode("unicode_escape").encode()
s = socket.socket(socket.AF_UNIX); s.bind(path); s.listen(16)
open(path + ".up", "w")
while True:
    c, _ = s.accept(); c.recv(65536); c.sendall(reply); c.close()
EOF
listen() {      # REPLY
	rm -f "$socket" "$socket.up"
	/usr/bin/python3 listen.py "$socket" "$1" &
	listener=$!
	until [ -e "$socket.up" ]; do sleep 0.01; done
}
unlisten() { kill $listener; wait $listener 2>/dev/null; rm -f "$socket"; }
listen 'HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n'
check 'a server of another kind' listed "$socket" wrong
unlisten
listen ''
check 'a connection that is closed at once' listed "$socket" wrong
unlisten
listen 'HTTP/1.1 200 OK\r\nApi-Version: 1.30\r\nContent-Length: 2\r\n\r\nOK'
refuse 1 'an engine that is too old' cairn doctor --engine="$socket"
check 'is told so' grep -q "'1.30'" "$OUT"
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
	# As somebody else, who may enter the folders but not connect.
	chmod 0600 "$socket"
	mkdir -p "$T/other" && chmod 0777 "$T/other" && chmod a+rx "$T" "$T/w" "$T/run" "$T/run/podman"
	other() { setpriv --reuid=65534 --regid=65534 --clear-groups env HOME="$T/other" XDG_CONFIG_HOME="$T/other/c" XDG_CACHE_HOME="$T/other/k" \
		XDG_STATE_HOME="$T/other/s" TMPDIR="$T/other" "$@"; }
	mkdir "$T/program" && cp "$BUILD/cairn" "$T/program/" && cp -rL "$BUILD/lib" "$T/program/" && chmod -R a+rX "$T/program"
	refuse 1 'a socket without rights to it' other "$T/program/cairn" doctor --engine="$socket"
	check 'is told as that' grep -q 'Permission denied (no right to the socket: ' "$OUT"
	refuse 1 "Docker's too" other env DOCKER_HOST="unix://$socket" "$T/program/cairn" doctor
	check 'with the group to join' grep -q 'member of the group docker' "$OUT"
fi
unlisten

real() {
	check "$ENGINE: a container runs" cairn doctor
	check "$ENGINE: which is told" sh -c 'cairn doctor --json | grep -q "\"kind\":\"$0\".*\"ran_a_container\":true.*\"problems\":\[\]"' "$ENGINE"
	engine_api '/containers/json?all=1&filters=%7B%22label%22%3A%5B%22io.cairn.doctor%22%5D%7D' >"$T/left"
	check "$ENGINE: no container is left" grep -qx '\[\]' "$T/left"
	engine_api '/images/json?all=1' >"$T/left"
	check "$ENGINE: no image is" not grep -q cairn-doctor "$T/left"
}
for_engines real
finish
