# shellcheck shell=bash
# What the scenarios share: notes, the image, ctr with a store of its own.

rootfs=$BENCH_SCRATCH/rootfs
ctr_root=$BENCH_SCRATCH/ctr-root
ctr_state=$BENCH_SCRATCH/state/ctr

note() {
	printf 'bench: %s\n' "$*" >&2
}

# Hands a result over: write_out FILE|-|'' SOURCE
write_out() {
	case $1 in
	'') ;;
	-) cat "$2" ;;
	*) cp "$2" "$1" ;;
	esac
}

# ctr, never with the user's store.
ctr() {
	"$CTR" --root "$ctr_root" --state "$ctr_state" "$@"
}

have_ctr() {
	[[ -x $CTR ]] && return
	note "$1: skipped, $CTR does not exist"
	return 1
}

# A root filesystem with one static busybox under all its names.
make_rootfs() {
	local applet
	mkdir -p "$rootfs"/{bin,dev,etc,proc,root,run,sys,tmp,usr/bin,var}
	cp "$(command -v busybox)" "$rootfs/bin/busybox"
	for applet in $(busybox --list); do
		[[ $applet == busybox ]] || ln -s busybox "$rootfs/bin/$applet"
	done
	echo 'root:x:0:0:root:/root:/bin/sh' >"$rootfs/etc/passwd"
	echo 'root:x:0:' >"$rootfs/etc/group"
	chroot "$rootfs" /bin/true || {
		note 'busybox does not run by itself: install busybox-static'
		return 1
	}
	tar -C "$rootfs" -cf "$BENCH_SCRATCH/rootfs.tar" .
}

# Makes the image "busybox" in the private store.
ctr_prepare() {
	ctr import "$BENCH_SCRATCH/rootfs.tar" busybox >/dev/null
}

ctr_ids() {
	ctr ps -a -q
}

ctr_remove_all() {
	local ids
	[[ -d $ctr_root && -x $CTR ]] || return 0
	mapfile -t ids < <(ctr_ids)
	((${#ids[@]} == 0)) || ctr rm -f "${ids[@]}" >/dev/null
}

# Starts N containers that sleep: ctr_start_sleepers PREFIX N
ctr_start_sleepers() {
	local i
	for ((i = 1; i <= $2; i++)); do
		ctr run -d --name "$1$i" --network "$BENCH_NETWORK" busybox sleep 1000000 >/dev/null
	done
}

# What the driver prints goes to the terminal, its figures to a file:
# drive JSON [DRIVER OPTION]... ::: ROW COMMAND...
drive() {
	local json=$1
	shift
	"$BENCH_BUILD/bench-driver" --runs "$BENCH_RUNS" --warmup "$BENCH_WARMUP" --pause "$BENCH_PAUSE" \
		--json "$json" "$@"
}

machine_json() {
	local cpu versions=() tool
	cpu=$(LC_ALL=C lscpu | sed -n 's/^Model name: *//p' | head -n 1)
	for tool in bwrap crun runc podman; do
		command -v "$tool" >/dev/null && versions+=("$("$tool" --version | head -n 1)")
	done
	[[ ! -x $CTR ]] || versions+=("$("$CTR" --version | head -n 1)")
	jq -n --arg cpu "$cpu" --arg kernel "$(uname -r)" --argjson cores "$(nproc)" \
		'{machine: {cpu: $cpu, kernel: $kernel, cores: $cores, versions: $ARGS.positional}}' \
		--args -- "${versions[@]}"
}
