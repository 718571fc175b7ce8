# t/testbed/registry.sh: registries on loopback, for tests that source lib.sh first. Each has a free port of its own and ends with
# the test.
#	registry_start NAME [AUTH]      Debian's docker-registry; its address is then in $NAME. AUTH is what stands behind "auth:" in
#	                                its configuration. Registries of one STORAGE (default: the name) hold the same images.
#	image push|index ...            t/testbed/image.py, see there
registry_pids=
image() { /usr/bin/python3 "$top/t/testbed/image.py" "$@"; }
registry_start() {
	registry_dir=$T/registry/${STORAGE:-$1}
	mkdir -p "$registry_dir"
	{
		echo 'version: 0.1'
		echo 'log: {level: info}'
		echo "storage: {filesystem: {rootdirectory: $registry_dir}, delete: {enabled: true}}"
		echo 'http: {addr: "127.0.0.1:0"}'
		[ -z "${2:-}" ] || echo "auth: $2"
	} >"$T/registry/$1.yml"
	: >"$T/registry/$1.log"
	docker-registry serve "$T/registry/$1.yml" >"$T/registry/$1.log" 2>&1 &
	registry_pids="$registry_pids $!"
	registry_wait "$1" "$!"
}
# The port is free until it is taken: the log says which it is.
registry_wait() {
	registry_address=
	while [ -z "$registry_address" ]; do
		registry_address=$(sed -nE 's/.*listening on (127\.0\.0\.1:[0-9]+).*/\1/p' "$T/registry/$1.log")
		kill -0 "$2" 2>/dev/null || { echo "Bail out! docker-registry: $(tail -n 3 "$T/registry/$1.log")"; exit 1; }
		[ "$registry_address" ] || sleep .05
	done
	eval "$1=\$registry_address"
}
registries_stop() {
	[ -z "$registry_pids" ] || kill $registry_pids 2>/dev/null
	clean_up
}
trap registries_stop EXIT
unset http_proxy HTTP_PROXY https_proxy HTTPS_PROXY all_proxy ALL_PROXY no_proxy NO_PROXY REGISTRY_AUTH_FILE DOCKER_CONFIG XDG_RUNTIME_DIR
