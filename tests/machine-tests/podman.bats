# podman with ctr-oci as its runtime. Runs in the test machine: tests/machine/run bats tests/machine-tests

load ../oci_helpers

setup_file() {
    type -P podman >/dev/null || return 0
    podman pull busybox >/dev/null 2>&1 || true
}

setup() {
    needs podman
    podman image exists busybox || skip "no busybox image in podman's store"
}

teardown() {
    podman rm --all --force --time 0 >/dev/null 2>&1 || true
}

pod() {
    timeout -s KILL "${CTR_TEST_LIMIT:-120}" podman --runtime "$CTR_OCI" --cgroup-manager cgroupfs "$@"
}

@test "podman run: output, exit status, and ctr-oci it is" {
    run -0 pod run --rm --network none busybox echo hello
    [[ $output == hello ]]
    run pod run --rm --network none busybox sh -c 'exit 42'
    ended 42
    run -0 pod info --format '{{.Host.OCIRuntime.Name}} {{.Host.OCIRuntime.Path}}'
    has "$CTR_OCI"
}

@test "podman run: 127 for a program that is not there, 126 for one not executable, 125 for a bad option" {
    run pod run --rm --network none busybox /no/such
    ended 127
    run pod run --rm --network none busybox /etc/passwd
    ended 126
    run pod run --rm --network none --nosuch busybox true
    ended 125
}

@test "podman run with the default bridge" {
    run -0 pod run --rm busybox ip -4 -o addr show eth0
    has "inet "
}

@test "podman run -t has a terminal" {
    run -0 pod run --rm -t --network none busybox sh -c 'tty; echo done'
    has /dev/pts/0
}

@test "podman run -u, -v, -e, -w, --hostname, --read-only" {
    mkdir "$BATS_TEST_TMPDIR/vol"
    echo shared >"$BATS_TEST_TMPDIR/vol/file"
    run -0 pod run --rm --network none -u 1000:1001 -v "$BATS_TEST_TMPDIR/vol:/vol:ro" -e A=b -w /tmp --hostname inside --read-only busybox \
        sh -c 'id -u; id -g; cat /vol/file; echo $A; pwd; hostname; touch /vol/x || echo read-only'
    [[ "${lines[*]:0:6}" == "1000 1001 shared b /tmp inside" ]]
    has read-only
}

@test "podman run -d, exec, logs, pause, stop, rm" {
    pod run -d --name web --network none busybox sh -c 'echo started; trap "exit 7" TERM; while :; do sleep 1000 & wait; done' >"$BATS_TEST_TMPDIR/id"
    logged() { pod logs web | grep -q started; }
    eventually logged
    run -0 pod exec web echo inside
    [[ $output == inside ]]
    run pod exec web sh -c 'exit 9'
    ended 9
    run pod exec web /no/such
    ended 127
    pod pause web
    [[ $(pod inspect --format '{{.State.Status}}' web) == paused ]]
    pod unpause web
    pod stop --time 60 web
    [[ $(pod inspect --format '{{.State.ExitCode}}' web) == 7 ]]
    pod rm web
    run -0 pod ps -aq
    [[ -z $output ]]
}

@test "podman run: limits reach the cgroup" {
    run -0 pod run --rm --network none -m 64m --pids-limit 50 --cpus 0.5 busybox sh -c 'cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/pids.max /sys/fs/cgroup/cpu.max'
    [[ "${lines[*]}" == "67108864 50 50000 100000" ]]
}

@test "podman run --privileged and --cap-add" {
    run -0 pod run --rm --network none --cap-add NET_ADMIN busybox ip addr add 192.0.2.1/32 dev lo
    run -0 pod run --rm --network none --privileged busybox sh -c 'mkdir -p /m && mount -t tmpfs x /m && echo mounted'
    has mounted
}
