# shellcheck shell=bash
# The rows of the "start" scenario: how each program is asked to run one command in a container.
: "${rootfs:?}" "${ctr_root:?}" "${ctr_state:?}" # from lib.sh

podman_options=()

# A bundle whose config.json is what `runc spec` writes, without a terminal: make_bundle COMMAND [ARG]...
make_bundle() {
	local dir=$BENCH_SCRATCH/bundles/$1
	[[ ! -d $dir ]] || return 0
	mkdir -p "$dir"
	runc spec --bundle "$dir"
	jq --arg rootfs "$rootfs" '.process.terminal = false | .process.args = $ARGS.positional | .root.path = $rootfs' \
		--args -- "$@" <"$dir/config.json" >"$dir/new"
	mv "$dir/new" "$dir/config.json"
}

podman() {
	command podman "${podman_globals[@]}" "$@"
}
podman_globals=(--root "$BENCH_SCRATCH/podman/root" --runroot "$BENCH_SCRATCH/state/podman/run"
	--tmpdir "$BENCH_SCRATCH/state/podman/tmp" --cgroup-manager cgroupfs --events-backend file)

# Sets argv to how a row runs a command: row_argv ROW COMMAND [ARG]...
row_argv() {
	local row=$1 bundle=$BENCH_SCRATCH/bundles/$2 state=$BENCH_SCRATCH/state/$1
	shift
	case $row in
	exec) argv=("$rootfs/bin/busybox" "$@") ;;
	floor)
		argv=("$BENCH_BUILD/bench-floor" --cgroup /sys/fs/cgroup/bench-floor-row
			"$rootfs" "/bin/$1" "${@:2}")
		;;
	floor-bare) argv=("$BENCH_BUILD/bench-floor" --bare "$rootfs" "/bin/$1" "${@:2}") ;;
	unshare)
		argv=(unshare --mount --pid --net --ipc --uts --cgroup --fork --mount-proc
			--root "$rootfs" "/bin/$1" "${@:2}")
		;;
	bwrap)
		argv=(bwrap --unshare-ipc --unshare-pid --unshare-net --unshare-uts --unshare-cgroup
			--ro-bind "$rootfs" / --proc /proc --dev /dev --ro-bind /sys /sys "/bin/$1" "${@:2}")
		;;
	crun | runc) argv=("$row" --root "$state" run --bundle "$bundle" "bench-$row-row") ;;
	ctr-oci) argv=("$CTR_OCI" --root "$state" run --bundle "$bundle" bench-ctr-oci-row) ;;
	ctr) argv=("$CTR" --root "$ctr_root" --state "$ctr_state" run --rm --network none busybox "$@") ;;
	podman) argv=(podman "${podman_globals[@]}" run --rm --network none "${podman_options[@]}" busybox "$@") ;;
	*)
		note "unknown row '$row'"
		return 1
		;;
	esac
}

# Whether what a row needs is there; says so when it is not.
row_present() {
	local program=$1
	case $1 in
	exec) return 0 ;;
	floor*) program=$BENCH_BUILD/bench-floor ;;
	ctr) program=$CTR ;;
	ctr-oci) program=$CTR_OCI ;;
	esac
	type -P "$program" >/dev/null && return 0
	note "row $1: skipped, $program is missing"
	return 1
}

# Whether a row's container really runs its command: what it echoes must come back.
row_works() {
	local argv output error=$BENCH_SCRATCH/error
	make_bundle echo bench-ok
	row_argv "$1" echo bench-ok
	output=$("${argv[@]}" 2>"$error" </dev/null) && [[ $output == bench-ok ]]
}

first_error() {
	local line=
	IFS= read -r line <"$BENCH_SCRATCH/error" || true
	printf '%s\n' "${line:-no message}"
}

# Podman's defaults need more than some hosts give. Takes the first of these that runs a container,
# each giving up more than the one before.
podman_prepare() {
	local options error=$BENCH_SCRATCH/error
	podman import "$BENCH_SCRATCH/rootfs.tar" busybox >/dev/null 2>"$error" || return
	for options in '' \
		'--ulimit=nofile=1024:1024 --ulimit=nproc=1024:1024' \
		'--ulimit=nofile=1024:1024 --ulimit=nproc=1024:1024 --pids-limit=-1' \
		'--ulimit=nofile=1024:1024 --ulimit=nproc=1024:1024 --cgroups=disabled'; do
		read -r -a podman_options <<<"$options"
		if row_works podman; then
			[[ -z $options ]] || note "podman runs here only with $options"
			return 0
		fi
	done
	return 1
}
