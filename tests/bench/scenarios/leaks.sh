# shellcheck shell=bash
# leaks: after many runs, one after the other and at once, nothing may be left: no mount, cgroup,
# process, network link or file. The stage is ours alone, so whatever is there more than before is a leak.
: "${results:?}" "${ctr_root:?}" "${ctr_state:?}"

list_files() {
	local dir
	for dir in "$@"; do
		[[ ! -d $dir ]] || find "$dir" -mindepth 1
	done
}

# Processes that lost their parent are handed to bench-stage, our parent; we are its only other child.
list_orphans() {
	local pid
	for pid in $(<"/proc/$PPID/task/$PPID/children"); do
		((pid == $$)) || printf '%s %s\n' "$pid" "$(cat "/proc/$pid/comm" 2>/dev/null || true)"
	done
}

# Writes one sorted list per kind of resource into a directory.
take_inventory() {
	mkdir -p "$1"
	sort /proc/self/mountinfo >"$1/mounts"
	find /sys/fs/cgroup -type d | sort >"$1/cgroups"
	list_orphans | sort >"$1/processes"
	sed -n 's/^ *\([^:]*\):.*/\1/p' /proc/net/dev | sort >"$1/links"
	list_files "$ctr_root/containers" "$ctr_state" /run/ctr /dev/shm | sort >"$1/files"
}

# Prints what an inventory has more than another, and how much; fails if there is anything.
report_leaks() {
	local kind extra n leaked=0
	for kind in mounts cgroups processes links files; do
		extra=$(comm -13 "$1/$kind" "$2/$kind")
		n=$(printf '%s' "$extra" | grep -c . || true)
		printf '%-10s %d left\n' "$kind" "$n"
		((n == 0)) && continue
		leaked=1
		head -n 5 <<<"$extra" | sed 's/^/    /'
	done
	return "$leaked"
}

run_one() {
	ctr run --rm --network "$BENCH_NETWORK" busybox true >/dev/null 2>>"$BENCH_SCRATCH/leaks-errors" </dev/null
}

run_sequential() {
	local i failed=0
	for ((i = 0; i < $1; i++)); do
		run_one || failed=$((failed + 1))
	done
	return $((failed > 0))
}

run_concurrent() {
	local i pid pids=() failed=0
	for ((i = 0; i < $1; i++)); do
		run_one &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do
		wait "$pid" || failed=$((failed + 1))
	done
	return $((failed > 0))
}

# Runs a batch and says how long it took: batch NAME COUNT
batch() {
	local start=$EPOCHREALTIME status=0
	"run_$1" "$2" || status=1
	awk -v name="$1" -v n="$2" -v start="$start" -v end="$EPOCHREALTIME" \
		'BEGIN { printf "%-10s %d runs in %.2f s\n", name, n, end - start }'
	if ((status != 0)); then
		note "leaks: some $1 runs failed: $(head -n 1 "$BENCH_SCRATCH/leaks-errors")"
	fi
	return "$status"
}

scenario_leaks() {
	local broken=0 leaked=0 tries
	have_ctr leaks || return 0
	: >"$BENCH_SCRATCH/leaks-errors"
	run_one || true # what is made once (directories, caches) is no leak
	take_inventory "$BENCH_SCRATCH/before"
	batch sequential "$BENCH_SEQUENTIAL" || broken=1
	batch concurrent "$BENCH_CONCURRENT" || broken=1
	# A monitor may still be on its way out: up to five seconds, then it counts as left.
	for ((tries = 0; tries < 50; tries++)); do
		take_inventory "$BENCH_SCRATCH/after"
		report_leaks "$BENCH_SCRATCH/before" "$BENCH_SCRATCH/after" >/dev/null && break
		sleep 0.1
	done
	report_leaks "$BENCH_SCRATCH/before" "$BENCH_SCRATCH/after" || leaked=1
	jq -n --argjson sequential "$BENCH_SEQUENTIAL" --argjson concurrent "$BENCH_CONCURRENT" --argjson leaked "$leaked" \
		'{leaks: {sequential: $sequential, concurrent: $concurrent, leaked: ($leaked == 1)}}' >"$results/leaks.json"
	return $((broken | leaked))
}
