#!/usr/bin/env bash
# Runs a command on a stage: nothing that happens on it changes the host, and all of it can be counted.
#
#   - private mount and network namespaces;
#   - a cgroup of its own, seen as the root of a cgroup2 at /sys/fs/cgroup, also where the host still
#     has v1 controllers there: every runtime then meets the same v2 host;
#   - writes to /run, /var/lib and /etc/cni go to the scratch directory: some peers leave files there
#     whatever state directory they are given;
#   - all processes are adopted and ended by bench-stage.
set -euo pipefail

join_cgroup() {
	mkdir -p "$BENCH_SCRATCH/cgroup"
	mount -t cgroup2 cgroup2 "$BENCH_SCRATCH/cgroup"
	mkdir "$BENCH_SCRATCH/cgroup/$BENCH_CGROUP"
	echo $$ >"$BENCH_SCRATCH/cgroup/$BENCH_CGROUP/cgroup.procs"
	umount "$BENCH_SCRATCH/cgroup"
}

# Makes the cgroup that we are in look like the host's root.
mount_cgroup2() {
	local controller
	umount --recursive /sys/fs/cgroup 2>/dev/null || true
	mount -t cgroup2 cgroup2 /sys/fs/cgroup
	# A cgroup that gives controllers to children may not hold processes itself.
	mkdir /sys/fs/cgroup/bench
	echo $$ >/sys/fs/cgroup/bench/cgroup.procs
	for controller in $(</sys/fs/cgroup/cgroup.controllers); do
		echo "+$controller" >/sys/fs/cgroup/cgroup.subtree_control 2>/dev/null ||
			printf 'bench: controller %s cannot be used here\n' "$controller" >&2
	done
}

cover_host_directories() {
	local dir layer
	mount -t tmpfs tmpfs /dev/shm
	mkdir -p "$BENCH_SCRATCH/cover"
	mount -t tmpfs tmpfs "$BENCH_SCRATCH/cover" # an overlay's upper may not be an overlay itself
	for dir in /run /var/lib /etc/cni; do
		[[ -d $dir ]] || continue
		layer=$BENCH_SCRATCH/cover/${dir//\//-}
		mkdir -p "$layer/upper" "$layer/work"
		mount -t overlay -o "lowerdir=$dir,upperdir=$layer/upper,workdir=$layer/work" overlay "$dir" ||
			printf 'bench: %s is not covered: peers may leave files there\n' "$dir" >&2
	done
}

# State on a tmpfs, where /run is on every host; and a fresh filesystem for each engine's store: ext4 does not
# give out an inode that was freed less than half a minute ago, so what one row removes would make another's
# files slow to create.
give_stores() {
	local name
	mkdir -p "$BENCH_SCRATCH/state"
	mount -t tmpfs tmpfs "$BENCH_SCRATCH/state"
	for name in ctr-root podman; do
		mkdir -p "$BENCH_SCRATCH/$name"
		truncate -s 4G "$BENCH_SCRATCH/$name.ext4"
		mkfs.ext4 -q "$BENCH_SCRATCH/$name.ext4" && mount -o loop "$BENCH_SCRATCH/$name.ext4" "$BENCH_SCRATCH/$name" ||
			printf 'bench: no filesystem of its own for %s: its rows may be slower\n' "$name" >&2
	done
}

# crun raises RLIMIT_MEMLOCK before it loads a device program, and gives up when it may not.
memlock_cannot_be_raised() {
	local name caps
	while read -r name caps; do
		[[ $name == CapEff: ]] && break
	done </proc/self/status
	# 24 is CAP_SYS_RESOURCE.
	[[ $(ulimit -H -l) != unlimited ]] && (((0x$caps >> 24 & 1) == 0))
}

case ${BENCH_STAGE_STEP:-} in
'')
	BENCH_STAGE_STEP=cgroup exec unshare --mount --net --propagation private "$0" "$@"
	;;
cgroup)
	join_cgroup
	BENCH_STAGE_STEP=mounts exec unshare --cgroup "$0" "$@"
	;;
mounts)
	unset BENCH_STAGE_STEP
	mount_cgroup2
	cover_host_directories
	give_stores
	options=()
	if memlock_cannot_be_raised; then
		echo 'bench: no CAP_SYS_RESOURCE: raising RLIMIT_MEMLOCK is answered without doing it, for all rows' >&2
		options=(--memlock)
	fi
	exec "$BENCH_BUILD/bench-stage" "${options[@]}" -- "$@"
	;;
esac
