#!/bin/sh
# Real container engines for the tests, on loopback, as root.
#
#	engines.sh start ROOT [PID]   dockerd, a Podman service, two registries (one with a password), a base image in all of
#	                              them; prints what env prints. They end when the process PID does
#	engines.sh env ROOT           variables that point at them
#	engines.sh stop ROOT          ends what start began, by pid, and removes ROOT
#	engines.sh image DIR NAME:TAG OUT.tar [CONFIG]
#	                              packs a folder as an image of one layer, as `docker load` and `podman load` take it;
#	                              CONFIG: members of its configuration, as '"Env":["A=b"]'
#
# ROOT is a short absolute path (sockets lie below it) of a folder of its own, on a file system that overlayfs can use.
# Several can run side by side: ports, bridges and subnets are chosen, storage, locks and configuration are below ROOT,
# and dockerd leaves the firewall alone. Podman's own rules concern its subnet and go with its containers.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
die() { echo "engines.sh: $*" >&2; exit 1; }

prepare() {     # ROOT
	root=$1
	case $root in /?*) ;; *) die "the folder must be absolute: $root" ;; esac
	[ ${#root} -le 60 ] || die "the folder's name is too long for sockets: $root"
	run=$root/run
	export CONTAINERS_CONF="$run/containers.conf" CONTAINERS_STORAGE_CONF="$run/storage.conf"
	export CONTAINERS_REGISTRIES_CONF="$run/registries.conf"
	unset DOCKER_HOST CONTAINER_HOST DOCKER_CONTEXT DOCKER_CONFIG CONTAINER_CONNECTION XDG_RUNTIME_DIR
}

spawn() {       # NAME COMMAND...
	name=$1
	shift
	(cd "$run" && exec setsid "$@") >"$run/$name.log" 2>&1 </dev/null &    # conmon leaves a file "oom" where it was started
	echo $! >"$run/$name.pid"
}

until_ok() {    # WHAT COMMAND...; WHAT is what spawn named
	what=$1 tries=0
	shift
	until "$@" >/dev/null 2>&1; do
		tries=$((tries + 1))
		kill -0 "$(cat "$run/$what.pid")" 2>/dev/null && [ $tries -lt 300 ] || { tail -n 20 "$run/$what.log" >&2; die "$what is not up"; }
		sleep 0.1
	done
}

# --- the network: a number that names two bridges and a part of 10.0.0.0/8 -----------------------
choose_network() {
	for n in $(shuf -i 64-250); do
		! ip -4 -o addr | grep -q " 10\.$n\." || continue
		ip link add "cairnd$n" type bridge 2>/dev/null || continue
		echo "$n" >"$run/network"
		ip addr add "10.$n.0.1/24" dev "cairnd$n"
		ip link set "cairnd$n" up
		return
	done
	die "unable to make a bridge"
}

# --- configuration -------------------------------------------------------------------------------
# runc, because crun refuses hybrid cgroups; ulimits below the hard limits of any shell, soft and hard equal, because the
# presets need CAP_SYS_RESOURCE and `play kube` mixes up the two.
podman_files() {        # NETWORK
	mkdir -p "$root/podman/networks" "$root/podman/tmp" "$root/podman/copy"
	cat >"$CONTAINERS_CONF" <<-END
		[containers]
		default_ulimits = ["nofile=4096:4096", "nproc=4096:4096"]
		[network]
		network_backend = "netavark"
		network_config_dir = "$root/podman/networks"
		default_subnet = "10.$1.1.0/24"
		default_subnet_pools = [{"base" = "10.$1.128.0/17", "size" = 24}]
		[engine]
		runtime = "runc"
		cgroup_manager = "cgroupfs"
		events_logger = "file"
		lock_type = "file"
		image_copy_tmp_dir = "$root/podman/copy"
		tmp_dir = "$root/podman/tmp"
		volume_path = "$root/podman/volumes"
	END
	cat >"$CONTAINERS_STORAGE_CONF" <<-END
		[storage]
		driver = "overlay"
		graphroot = "$root/podman/storage"
		runroot = "$root/podman/run"
	END
	cat >"$root/podman/networks/podman.json" <<-END
		{"name": "podman", "id": "2f259bab93aaaaa2542ba43ef33eb990d0999ee1b9924b557b7be53c0b7a1bb9", "driver": "bridge",
		 "network_interface": "cairnp$1", "created": "2020-01-01T00:00:00Z",
		 "subnets": [{"subnet": "10.$1.1.0/24", "gateway": "10.$1.1.1"}], "ipv6_enabled": false, "internal": false,
		 "dns_enabled": false, "ipam_options": {"driver": "host-local"}}
	END
	for port in $(cat "$run/registry.port" "$run/registry-auth.port"); do
		printf '[[registry]]\nlocation = "127.0.0.1:%s"\ninsecure = true\n' "$port"
	done >"$CONTAINERS_REGISTRIES_CONF"
}
containerd_file() {     # its own: dockerd would take one of the system that happens to run
	cat >"$run/containerd.toml" <<-END
		version = 2
		root = "$root/containerd"
		state = "$run/containerd"
		disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.internal.v1.opt"]
		[grpc]
		address = "$run/containerd.sock"
	END
}

# --- the parts -----------------------------------------------------------------------------------
registry() {    # NAME [MORE]: the port is the kernel's choice, read from its log
	printf 'version: 0.1\nlog: {level: info}\nstorage: {filesystem: {rootdirectory: %s}, delete: {enabled: true}}\nhttp: {addr: "127.0.0.1:0"}\n%s\n' \
		"$root/$1" "${2:-}" >"$run/$1.yml"
	spawn "$1" docker-registry serve "$run/$1.yml"
}
registry_up() { # NAME
	until_ok "$1" grep -q 'listening on 127' "$run/$1.log"
	sed -n 's/.*listening on 127\.0\.0\.1:\([0-9]*\).*/\1/p' "$run/$1.log" | head -n 1 >"$run/$1.port"
}
docker_start() {        # NETWORK
	containerd_file
	spawn containerd containerd --config "$run/containerd.toml"
	until_ok containerd test -S "$run/containerd.sock"
	echo '{}' >"$run/daemon.json"
	spawn dockerd dockerd --config-file "$run/daemon.json" --containerd "$run/containerd.sock" --data-root "$root/docker" \
		--exec-root "$run/docker" --pidfile "$run/dockerd.own" --host "unix://$run/docker.sock" --storage-driver overlay2 \
		--bridge "cairnd$1" --iptables=false --ip6tables=false --ip-masq=false --ip-forward=false \
		--default-address-pool "base=10.$1.64.0/18,size=26" --shutdown-timeout 1
}

# --- images --------------------------------------------------------------------------------------
image() {       # DIR NAME:TAG OUT [CONFIG]
	box=$(mktemp -d)
	tar -C "$1" --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -cf "$box/layer.tar" .
	layer=$(sha256sum "$box/layer.tar" | cut -d' ' -f1)
	arch=$(uname -m | sed 's/x86_64/amd64/; s/aarch64/arm64/')
	printf '{"architecture":"%s","os":"linux","created":"1970-01-01T00:00:00Z","config":{%s},"rootfs":{"type":"layers","diff_ids":["sha256:%s"]},"history":[{"created":"1970-01-01T00:00:00Z"}]}' \
		"$arch" "${4:-}" "$layer" >"$box/config.json"
	printf '[{"Config":"config.json","RepoTags":["%s"],"Layers":["layer.tar"]}]' "$2" >"$box/manifest.json"
	tar -C "$box" -cf "$3" manifest.json config.json layer.tar
	rm -rf "$box"
}
base_image() {  # NAME:TAG OUT: busybox, with what programs expect of a system
	base=$(mktemp -d)
	mkdir -p "$base/bin" "$base/etc" "$base/root" "$base/tmp" "$base/var/tmp"
	chmod 1777 "$base/tmp" "$base/var/tmp"
	cp "$(command -v busybox)" "$base/bin/busybox"
	for applet in $("$base/bin/busybox" --list); do
		[ "$applet" = busybox ] || ln -s busybox "$base/bin/$applet"
	done
	printf 'root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000:user:/tmp:/bin/sh\n' >"$base/etc/passwd"
	printf 'root:x:0:\nuser:x:1000:\n' >"$base/etc/group"
	image "$base" "$1" "$2" '"Env":["PATH=/bin"],"Cmd":["/bin/sh"]'
	rm -rf "$base"
}
api() {         # ENGINE ARGS...: curl on its socket
	engine=$1
	shift
	curl -sS --fail-with-body --max-time 60 --unix-socket "$run/$engine.sock" "$@" >"$run/api.out" || { cat "$run/api.out" >&2; die "$engine: $*"; }
	! grep -q errorDetail "$run/api.out" || { cat "$run/api.out" >&2; die "$engine: $*"; }
}
push() {        # REGISTRY AUTH-HEADER-VALUE
	api docker -X POST "http://d/images/localhost/busybox:1/tag?repo=$1/busybox&tag=1"
	api docker -X POST -H "X-Registry-Auth: $2" "http://d/images/$1/busybox/push?tag=1"
	api docker -X DELETE "http://d/images/$1/busybox:1"
}
images() {
	base_image localhost/busybox:1 "$run/busybox.tar"
	api docker -X POST -H 'Content-Type: application/x-tar' -T "$run/busybox.tar" 'http://d/images/load'
	api podman -X POST -H 'Content-Type: application/x-tar' -T "$run/busybox.tar" 'http://d/v4.0.0/libpod/images/load'
	push "127.0.0.1:$(cat "$run/registry.port")" "$(printf '{}' | base64)"
	push "127.0.0.1:$(cat "$run/registry-auth.port")" "$(printf '{"username":"tester","password":"secret"}' | base64 -w0)"
}

# --- start, env, stop ----------------------------------------------------------------------------
leash() {       # PID; not while this shell still starts some
	setsid sh -c 'while [ -d "/proc/$1" ] || [ -d "/proc/$4" ]; do sleep 1; [ -d "$2" ] || exit 0; done; exec "$3" stop "$2"' \
		leash "$1" "$root" "$here/engines.sh" $$ >/dev/null 2>&1 </dev/null &
}
start() {       # [PID]
	[ "$(id -u)" = 0 ] || die "container engines are started as root"
	mkdir -p "$run"
	trap 'status=$?; [ $status = 0 ] || stop; exit $status' EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM
	[ -z "${1:-}" ] || leash "$1"
	htpasswd -Bbn tester secret >"$run/htpasswd" 2>/dev/null
	registry registry
	registry registry-auth "auth: {htpasswd: {realm: test, path: $run/htpasswd}}"
	choose_network
	docker_start "$n"
	registry_up registry
	registry_up registry-auth
	podman_files "$n"
	spawn podman podman system service --time=0 "unix://$run/podman.sock"
	until_ok podman curl -fs --unix-socket "$run/podman.sock" http://d/_ping
	until_ok dockerd curl -fs --unix-socket "$run/docker.sock" http://d/_ping
	images
	env_
}
env_() {
	cat <<-END
		export TESTBED_ROOT='$root'
		export TESTBED_DOCKER='unix://$run/docker.sock'
		export TESTBED_PODMAN='unix://$run/podman.sock'
		export TESTBED_CONTAINERS_CONF='$CONTAINERS_CONF'
		export TESTBED_CONTAINERS_STORAGE_CONF='$CONTAINERS_STORAGE_CONF'
		export TESTBED_CONTAINERS_REGISTRIES_CONF='$CONTAINERS_REGISTRIES_CONF'
		export TESTBED_REGISTRY='127.0.0.1:$(cat "$run/registry.port")'
		export TESTBED_REGISTRY_AUTH='127.0.0.1:$(cat "$run/registry-auth.port")'
	END
}
lives() { grep -q '^State:[[:space:]]*[A-WYa-wy]' "/proc/$1/status" 2>/dev/null; }
end() {         # PID SIGNAL: waits until it is gone, for 10 s, then kills
	kill "-$2" "$1" 2>/dev/null || return 0
	tries=0
	while lives "$1" && [ $tries -lt 200 ]; do
		tries=$((tries + 1))
		sleep 0.05
	done
	kill -KILL "$1" 2>/dev/null || :
}
# What engines start apart from themselves, known by our folder in its command line.
helpers() {
	for file in $(grep -lF "$root/" /proc/[0-9]*/cmdline 2>/dev/null); do
		case $(readlink "${file%cmdline}exe" 2>/dev/null) in
		*/containerd-shim* | */conmon | */docker-proxy | */aardvark-dns | */runc) expr "$file" : '/proc/\([0-9]*\)' ;;
		esac
	done
}
stop() {
	trap '' EXIT
	[ -d "$run" ] || return 0
	[ ! -f "$run/podman.pid" ] || { timeout 30 podman pod rm -fa -t 0; timeout 30 podman rm -fa -t 0; } >/dev/null 2>&1 || :
	for id in $(curl -s --max-time 10 --unix-socket "$run/docker.sock" 'http://d/containers/json?all=1' |
		grep -o '"Id":"[0-9a-f]*"' | cut -d'"' -f4); do
		curl -s --max-time 10 --unix-socket "$run/docker.sock" -X DELETE "http://d/containers/$id?force=1&v=1" || :
	done >/dev/null 2>&1
	for name in podman dockerd containerd registry registry-auth; do
		[ ! -f "$run/$name.pid" ] || end "$(cat "$run/$name.pid")" TERM
	done
	for pid in $(helpers); do end "$pid" KILL; done
	if [ -f "$run/network" ]; then
		n=$(cat "$run/network")
		ip link del "cairnd$n" 2>/dev/null || :
		ip link del "cairnp$n" 2>/dev/null || :
	fi
	# Deepest first.
	awk -v root="$root/" 'index($2, root) == 1 { print $2 }' /proc/self/mounts | sort -r | while read -r at; do umount -l "$at" || :; done
	rm -rf "$root"
}

case ${1:-} in
start) prepare "$2"; start "${3:-}" ;;
env) prepare "$2"; env_ ;;
stop) prepare "$2"; stop ;;
image) shift; image "$@" ;;
*) sed -n '4,16s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac
