# shellcheck shell=bash
# What the test files share. Each file has a store of its own, and leaves nothing.
#
#   CTR             the program under test, default build/ctr
#   CTR_TEST_CACHE  where what takes long to make is kept, default /var/cache/ctr-test

bats_require_minimum_version 1.5.0

CTR=$(realpath "${CTR:-$BATS_TEST_DIRNAME/../build/ctr}")
CTR_TEST_CACHE=${CTR_TEST_CACHE:-/var/cache/ctr-test}

# --- ctr ----------------------------------------------------------------------------------------------

# ctr with this file's store and no input.
ctr() {
	ctr_stdin "$@" </dev/null
}

# The same with our input. What it leaves running must not hold bats' own descriptors.
ctr_stdin() {
	timeout -s KILL 30 "$CTR" --root "$STORE" --state "$STATE" "$@" 3>&- 4>&-
}

# ctr in the background; $! is its process.
ctr_background() {
	"$CTR" --root "$STORE" --state "$STATE" "$@" </dev/null 3>&- 4>&- &
}

field() { # CONTAINER TEMPLATE: a field of a container
	ctr inspect --format "{{$2}}" "$1"
}

monitor_of() { # CONTAINER: the process id of its monitor
	ctr inspect --format json "$1" | sed -n 's/.*"monitorPid": *\([0-9]*\).*/\1/p'
}

# --- a file's beginning and end -----------------------------------------------------------------------

store_begin() {
	SCRATCH=$(mktemp -d "${TMPDIR:-/tmp}/ctr-bats.XXXXXX")
	chmod 755 "$SCRATCH"
	STORE=$SCRATCH/store STATE=$SCRATCH/state
	export SCRATCH STORE STATE
	cgroups_of_ctr >"$SCRATCH/cgroups"
	# From here on the store is as it stays: what a test finds more of is that test's.
	ctr run --rm busybox true
}

store_end() {
	remove_containers
	nothing_is_left || return 1
	rm -rf --one-file-system "$SCRATCH"
}

setup_file() {
	store_begin
}

teardown_file() {
	store_end
}

setup() {
	work=$BATS_TEST_TMPDIR
}

teardown() {
	remove_containers
}

remove_containers() {
	ctr rm --all --force >/dev/null
}

cgroups_of_ctr() {
	local mount
	mount=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
	[ -d "$mount/ctr" ] || return 0
	find "$mount/ctr" -mindepth 1 -type d | sort
}

# The cgroups made since the file began that hold no process. Another suite's may pass by.
empty_new_cgroups() {
	local cgroup
	cgroups_of_ctr | comm -13 "$SCRATCH/cgroups" - | while read -r cgroup; do
		! grep -qs 'populated 0' "$cgroup/cgroup.events" || echo "$cgroup"
	done
}

no_empty_cgroups() {
	[ -z "$(empty_new_cgroups)" ]
}

# Processes (and so mounts) that have to do with this file's store: monitors name it on their command
# line, containers and everything else mount from it.
processes_of_store() {
	local dir
	for dir in /proc/[0-9]*; do
		if grep -qs -F "$SCRATCH" "$dir/mountinfo" || tr '\0' ' ' 2>/dev/null <"$dir/cmdline" | grep -q -F "$SCRATCH/s"; then
			printf '%s %s\n' "${dir#/proc/}" "$(tr '\0' ' ' 2>/dev/null <"$dir/cmdline")"
		fi
	done
}

no_processes() {
	[ -z "$(processes_of_store)" ]
}

nothing_is_left() {
	local status=0
	eventually no_processes || { echo "processes or mounts are left:"; processes_of_store; status=1; }
	eventually no_empty_cgroups || { echo "cgroups are left:"; empty_new_cgroups; status=1; }
	[ -z "$(ls "$STATE/containers")" ] || { echo "state is left:"; ls "$STATE/containers"; status=1; }
	[ -z "$(ls "$STORE/containers" "$STORE/names" | grep -v :)" ] || { echo "records are left"; status=1; }
	store_is_sound || status=1
	return $status
}

# Cgroups that it finds may be another store's; ours are looked for above.
store_is_sound() {
	local found
	found=$(ctr system check | grep -v -e '^nothing was left behind$' -e '^cgroup /ctr/') || return 0
	printf '`ctr system check` found:\n%s\n' "$found"
	return 1
}

# --- checks -------------------------------------------------------------------------------------------

equal() { # EXPECTED ACTUAL
	[ "$1" = "$2" ] || { printf 'expected: %s\nbut got:  %s\n' "$1" "$2"; return 1; }
}

matches() { # REGEX TEXT
	[[ $2 =~ $1 ]] || { printf 'expected a match of: %s\nbut got: %s\n' "$1" "$2"; return 1; }
}

# Waits until a command succeeds, at most 20 seconds.
eventually() {
	local deadline=$((SECONDS + 20))
	until "$@"; do
		[ $SECONDS -lt $deadline ] || { echo "waited in vain for: $*"; return 1; }
		sleep 0.02
	done
}

log_has() { # CONTAINER LINE: it wrote that line
	ctr logs "$1" 2>&1 | grep -qxF "$2"
}

container_is() { # CONTAINER STATUS
	[ "$(field "$1" .State.Status)" = "$2" ]
}

gone() { # PROCESS: it has ended. Nobody may have fetched its status.
	! grep -qs '^State:.[^ZX]' "/proc/$1/status"
}

# All that a failed command could have left in the store.
traces() {
	find "$STORE" "$STATE" -mindepth 1 -maxdepth 2 ! -path "$STATE/seccomp*" | sort
}

# The command fails with STATUS and one sentence on stderr that matches, and leaves nothing.
refuses() { # STATUS REGEX COMMAND...
	local want=$1 regex=$2 before
	shift 2
	before=$(traces)
	run "-$want" --separate-stderr "$@"
	equal "$want" "$status" || { echo "$stderr"; return 1; }
	equal '' "$output"
	equal 1 "${#stderr_lines[@]}" || { echo "$stderr"; return 1; }
	matches '^ctr: ' "$stderr"
	matches "$regex" "$stderr"
	equal "$before" "$(traces)"
}

need() { # PROGRAM...: skips without them
	local program
	for program; do
		[ -n "$(type -P "$program")" ] || skip "$program is not installed"
	done
}
