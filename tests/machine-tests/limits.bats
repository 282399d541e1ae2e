# Limits and their enforcement, on a host whose controllers are all on cgroup v2. Runs in the test machine:
# tests/machine/run bats tests/machine-tests

load ../oci_helpers

setup_file() {
    ctr run --rm busybox true </dev/null
}

teardown() {
    remove_all
}

setup() {
    [[ -e $(cgroup2_mount)/cgroup.controllers && $(<"$(cgroup2_mount)/cgroup.controllers") == *memory* ]] ||
        skip "the memory controller is not on cgroup v2 here"
}

# limited OPTION...: a sleeping container `limited`; its cgroup directory in $CG.
limited() {
    ctr run -d --name limited "$@" busybox sleep 1000 </dev/null >"$BATS_TEST_TMPDIR/id"
    local pid
    pid=$(ctr inspect --format '{{.State.Pid}}' limited)
    CG=$(cgroup2_mount)$(sed -n 's/^0:://p' "/proc/$pid/cgroup")
    [[ -d $CG && $CG != "$(cgroup2_mount)/" ]]
}

@test "memory: the limit is in memory.max, and going over it ends the container with 137 and OOMKilled" {
    limited -m 32m
    [[ $(cat "$CG/memory.max") == 33554432 ]]
    run ctr run --name eater -m 32m --memory-swap 32m busybox sh -c 'tail /dev/zero' </dev/null
    ended 137
    [[ $(ctr inspect --format '{{.State.OOMKilled}}' eater) == true ]]
    [[ $(ctr inspect --format '{{.State.OOMKilled}}' limited) == false ]]
}

@test "memory: swap and reservation" {
    limited -m 64m --memory-swap 96m --memory-reservation 16m
    [[ $(cat "$CG/memory.low") == 16777216 ]]
    [[ ! -e $CG/memory.swap.max || $(cat "$CG/memory.swap.max") == 33554432 ]]
}

@test "cpu: --cpus, --cpu-quota with --cpu-period, --cpu-shares" {
    limited --cpus 0.5
    [[ $(cat "$CG/cpu.max") == "50000 100000" ]]
    ctr rm --force limited
    limited --cpu-quota 20000 --cpu-period 40000 --cpu-shares 512
    [[ $(cat "$CG/cpu.max") == "20000 40000" ]]
    (($(cat "$CG/cpu.weight") < 100))
}

@test "pids: forks beyond the limit are refused" {
    limited --pids-limit 5
    [[ $(cat "$CG/pids.max") == 5 ]]
    run in_container --pids-limit 4 'for i in 1 2 3 4 5 6 7 8; do sleep 100 & done; echo all-started'
    [[ $status -ne 0 ]]
    has "fork"
    lacks all-started
}

@test "cpuset: the container runs on the CPUs it was given" {
    limited --cpuset-cpus 0
    [[ $(cat "$CG/cpuset.cpus") == 0 ]]
    run -0 ctr exec limited grep Cpus_allowed_list /proc/self/status </dev/null
    [[ $output == *"	0" ]]
}

@test "io: rates are in io.max, the weight in io.weight" {
    local disk=/dev/vda number
    [[ -b $disk ]] || skip "no /dev/vda"
    number=$(stat -c '%Hr:%Lr' "$disk")
    limited --device-read-bps "$disk:1m" --device-write-iops "$disk:100"
    run -0 cat "$CG/io.max"
    has "$number rbps=1048576"
    has "wiops=100"
}

@test "--cgroup-conf writes a cgroup file as it is, and only one of the container's own" {
    limited --cgroup-conf memory.high=20971520
    [[ $(cat "$CG/memory.high") == 20971520 ]]
    run ctr run --rm --cgroup-conf ../cgroup.procs=1 busybox true
    ended 125
    run ctr run --rm --cgroup-conf nosuch.file=1 busybox true
    ended 125
    has nosuch.file
}

@test "limits that were not asked for stay as they are" {
    limited -m 64m
    [[ $(cat "$CG/cpu.max") == "max 100000" && $(cat "$CG/cpuset.cpus") == "" ]]
}

@test "the cgroup goes with the container" {
    limited -m 64m
    ctr rm --force limited
    [[ ! -e $CG ]]
}

@test "impossible limits are refused by name, and leave nothing" {
    for bad in "-m 1x" "-m -5" "--cpus 0" "--cpus x" "--pids-limit x" "--cpuset-cpus 999" "--device-read-bps /nowhere:1m" "--cpu-period 5"; do
        # shellcheck disable=SC2086
        run ctr run --rm $bad busybox true
        ended 125
        [[ ${#lines[@]} -eq 1 ]]
    done
    [[ $(ctr ps -aq | wc -l) -eq 0 ]]
}

@test "ctr-oci: limits of a bundle are written and enforced" {
    bundle '.linux.resources = {"memory": {"limit": 33554432}, "pids": {"limit": 7}, "cpu": {"quota": 30000, "period": 100000}, "unified": {"memory.high": "20971520"}} | .process.args = ["sleep", "1000"]'
    oci create -b "$BUNDLE" "$(new_id)" </dev/null >"$BATS_TEST_TMPDIR/out" 2>&1
    local cg
    cg=$(cgroup2_mount)/ctr-oci/$(new_id)
    [[ $(cat "$cg/memory.max" "$cg/pids.max" "$cg/cpu.max" "$cg/memory.high" | xargs) == "33554432 7 30000 100000 20971520" ]]
}

@test "an image runs on this kernel's overlayfs, and the layers' unit tests pass" {
    run -0 in_container 'echo written >/new && cat /new; grep -c "^[^ ]* / overlay" /proc/mounts'
    [[ "${lines[*]}" == "written 1" ]]
    [[ -x $top/build/tests/unit/test_store_rootfs ]] || skip "the unit tests are not built"
    ldd "$top/build/tests/unit/test_store_rootfs" | grep -q 'not found' && skip "no sanitizer libraries here"
    (cd "$BATS_TEST_TMPDIR" && timeout -s KILL "$limit" "$top/build/tests/unit/test_store_rootfs")
}
