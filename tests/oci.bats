# ctr-oci, the runtime that podman, containerd and Kubernetes call, on bundles. Runs natively and in the
# test machine.

load oci_helpers

teardown() {
    remove_all
}

# A container that sleeps, created (not started); its id in $ID.
created() {
    bundle '.process.args = ["sleep", "1000"]'
    [[ $# -eq 0 ]] || config "$@"
    ID=$(new_id)
    oci create -b "$BUNDLE" --pid-file "$BATS_TEST_TMPDIR/pid" "$ID" </dev/null >"$BATS_TEST_TMPDIR/out" 2>&1
}

running() {
    created "$@"
    oci start "$ID"
}

# A script that is run in a fresh bundle, in the foreground.
in_bundle() {
    config --arg script "$1" '.process.args = ["sh", "-c", $script]'
    oci run -b "$BUNDLE" "$(new_id)" </dev/null
}

# --- spec ------------------------------------------------------------------------------------------------

@test "spec writes a config.json that is complete and valid" {
    mkdir -p "$BATS_TEST_TMPDIR/b"
    oci spec -b "$BATS_TEST_TMPDIR/b"
    run -0 jq -r '[.ociVersion, .root.path, .process.cwd, .process.args[0], .process.noNewPrivileges, (.linux.namespaces | map(.type) | sort | join(","))] | join(" ")' "$BATS_TEST_TMPDIR/b/config.json"
    [[ $output == "1."*" rootfs / sh true cgroup,ipc,mount,network,pid,uts" ]]
    run -0 jq -e '.linux.maskedPaths | index("/proc/kcore")' "$BATS_TEST_TMPDIR/b/config.json"
}

@test "spec does not overwrite a config.json, and names a missing bundle" {
    mkdir -p "$BATS_TEST_TMPDIR/b"
    echo mine >"$BATS_TEST_TMPDIR/b/config.json"
    run oci spec -b "$BATS_TEST_TMPDIR/b"
    one_sentence config.json
    [[ $(cat "$BATS_TEST_TMPDIR/b/config.json") == mine ]]
    run oci spec -b "$BATS_TEST_TMPDIR/nowhere"
    one_sentence nowhere
}

@test "the config of spec runs as it is, with a terminal" {
    BUNDLE=$BATS_TEST_TMPDIR/b
    mkdir -p "$BUNDLE"
    cp -a "$(busybox_tree)" "$BUNDLE/rootfs"
    oci spec -b "$BUNDLE"
    needs script
    run -0 timeout -s KILL "$limit" script -qec "$(printf '%q ' "$CTR_OCI" --root "$BATS_TEST_TMPDIR/oci" run -b "$BUNDLE" "$(new_id)")" /dev/null < <(echo 'echo $((40 + 2)); exit')
    has 42
}

@test "spec --rootless maps root to the caller in a user namespace" {
    mkdir -p "$BATS_TEST_TMPDIR/b"
    oci spec --rootless -b "$BATS_TEST_TMPDIR/b"
    run -0 jq -c '[(.linux.namespaces | map(.type) | index("user") != null), .linux.uidMappings[0].hostID, .linux.uidMappings[0].size]' "$BATS_TEST_TMPDIR/b/config.json"
    [[ $output == "[true,$(id -u),1]" ]]
}

@test "runc spec's config runs unchanged" {
    needs runc script
    BUNDLE=$BATS_TEST_TMPDIR/b
    mkdir -p "$BUNDLE"
    cp -a "$(busybox_tree)" "$BUNDLE/rootfs"
    (cd "$BUNDLE" && runc spec)
    run -0 timeout -s KILL "$limit" script -qec "$(printf '%q ' "$CTR_OCI" --root "$BATS_TEST_TMPDIR/oci" run -b "$BUNDLE" "$(new_id)")" /dev/null < <(echo 'echo $((40 + 2)); exit')
    has 42
}

@test "crun spec's config runs unchanged" {
    needs crun script
    BUNDLE=$BATS_TEST_TMPDIR/b
    mkdir -p "$BUNDLE"
    cp -a "$(busybox_tree)" "$BUNDLE/rootfs"
    (cd "$BUNDLE" && crun spec)
    run -0 timeout -s KILL "$limit" script -qec "$(printf '%q ' "$CTR_OCI" --root "$BATS_TEST_TMPDIR/oci" run -b "$BUNDLE" "$(new_id)")" /dev/null < <(echo 'echo $((40 + 2)); exit')
    has 42
}

# --- the life of a container -----------------------------------------------------------------------------

@test "create, start, kill, delete: each state has its name, and nothing is left" {
    created
    has_status "$ID" created
    oci start "$ID"
    has_status "$ID" running
    oci kill "$ID" KILL
    eventually has_status "$ID" stopped
    oci delete "$ID"
    run oci state "$ID"
    one_sentence "$ID" "does not exist"
    assert_gone "$ID"
}

@test "create has written the pid file when it returns: digits only, of the waiting process" {
    created
    run -0 cat "$BATS_TEST_TMPDIR/pid"
    [[ $output =~ ^[0-9]+$ ]]
    [[ $(wc -c <"$BATS_TEST_TMPDIR/pid") -eq ${#output} ]]
    [[ $(oci state "$ID" | jq .pid) == "$output" ]]
    [[ -d /proc/$output ]]
}

@test "state tells ociVersion, id, status, pid, bundle, rootfs, created and annotations" {
    created '.annotations = {"org.example.key": "a/b \"c\""}'
    oci state "$ID" >"$BATS_TEST_TMPDIR/state.json"
    run -0 jq -r '[.ociVersion, .id, .status, .bundle, .rootfs, .annotations["org.example.key"]] | join("|")' "$BATS_TEST_TMPDIR/state.json"
    [[ $output == "1."*"|$ID|created|$BUNDLE|$BUNDLE/rootfs|a/b \"c\"" ]]
    date -d "$(jq -r .created "$BATS_TEST_TMPDIR/state.json")" >/dev/null
}

@test "the program does not run before start" {
    created '.process.args = ["sh", "-c", "echo ran >/ran; exec sleep 1000"] | .root.readonly = false'
    [[ ! -e $BUNDLE/rootfs/ran ]]
    oci start "$ID"
    eventually test -s "$BUNDLE/rootfs/ran"
}

@test "start twice, and start of what is not there, are refused" {
    running
    run oci start "$ID"
    one_sentence "$ID" running
    run oci start "$(new_id nothing)"
    one_sentence "does not exist"
}

@test "an id in use is refused, and the first container lives on" {
    running
    run quiet oci create -b "$BUNDLE" "$ID" </dev/null
    one_sentence "$ID" exists
    has_status "$ID" running
}

@test "ids that are paths, empty or odd are refused" {
    bundle
    for id in "" .. ../x a/b .hidden "a b" $'a\nb' "$(printf 'x%.0s' {1..300})"; do
        for verb in "create -b $BUNDLE" "run -b $BUNDLE" state start delete kill; do
            # shellcheck disable=SC2086
            run quiet oci $verb "$id" </dev/null
            [[ $status -ne 0 ]]
            has "id"
        done
    done
    [[ -z $(ls -A "$BATS_TEST_TMPDIR/oci" 2>/dev/null) ]]
}

@test "ids with every allowed character work" {
    bundle
    run -0 oci run -b "$BUNDLE" "$(new_id)_Az09+-.x" </dev/null
}

@test "delete refuses a running container; with --force it kills it" {
    running
    run oci delete "$ID"
    one_sentence "$ID" running
    local pid
    pid=$(cat "$BATS_TEST_TMPDIR/pid")
    oci delete --force "$ID"
    [[ ! -d /proc/$pid ]] || grep -q '^State:.*Z' "/proc/$pid/status"
    assert_gone "$ID"
}

@test "delete of a created container removes it and its waiting process" {
    created
    oci delete "$ID"
    assert_gone "$ID"
}

@test "delete --force of an unknown id succeeds, delete does not" {
    run -0 oci delete --force "$(new_id nothing)"
    [[ -z $output ]]
    run oci delete "$(new_id nothing)"
    one_sentence "does not exist"
}

@test "kill takes signals as NAME, SIGNAME and number; TERM is the default" {
    # PID 1 of a namespace gets only the signals that it handles.
    running '.root.readonly = false | .process.args = ["sh", "-c", "for s in TERM HUP USR1 USR2; do trap \"echo $s >>/got\" $s; done; echo up >/got; while :; do sleep 1000 & wait; done"]'
    eventually test -s "$BUNDLE/rootfs/got"
    oci kill "$ID"
    eventually grep -q TERM "$BUNDLE/rootfs/got"
    oci kill "$ID" HUP
    eventually grep -q HUP "$BUNDLE/rootfs/got"
    oci kill "$ID" SIGUSR1
    eventually grep -q USR1 "$BUNDLE/rootfs/got"
    oci kill "$ID" 12
    eventually grep -q USR2 "$BUNDLE/rootfs/got"
    run oci kill "$ID" NOSUCH
    one_sentence NOSUCH
    run oci kill "$ID" 1000
    one_sentence 1000
}

@test "kill --all reaches every process" {
    running '.process.args = ["sh", "-c", "sleep 1000 & sleep 1001 & wait"]'
    three() { [[ $(oci ps -f json "$ID" | jq length) -eq 3 ]]; }
    eventually three
    oci kill --all "$ID" KILL
    eventually has_status "$ID" stopped
}

@test "kill of a stopped container says that it is not running" {
    running
    oci kill "$ID" KILL
    eventually has_status "$ID" stopped
    run oci kill "$ID" KILL
    one_sentence "not running"
}

@test "a container that ended by itself is stopped until it is deleted" {
    running '.process.args = ["true"]'
    eventually has_status "$ID" stopped
    run -0 oci state "$ID"
    [[ $(jq 'has("pid")' <<<"$output") == false || $(jq .pid <<<"$output") == 0 ]]
    oci delete "$ID"
    assert_gone "$ID"
}

@test "run gives the program's exit status, 128 and the signal when one killed it" {
    bundle
    for code in 0 1 3 42 255; do
        run in_bundle "exit $code"
        ended "$code"
    done
    # The first process's child cannot be killed in its place; the kernel's own fault can.
    run in_bundle 'ulimit -c 0; kill -KILL $$; exit 7'
    ended 7 # PID 1 is immune to signals from inside
    assert_gone "$(new_id)"
}

@test "run: SIGKILL from outside is 137" {
    bundle '.process.args = ["sleep", "1000"]'
    local id=$(new_id)
    oci run -b "$BUNDLE" "$id" </dev/null >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- &
    local pid=$!
    eventually has_status "$id" running 2>/dev/null
    oci kill "$id" KILL
    local status=0
    wait "$pid" || status=$?
    [[ $status -eq 137 ]]
    assert_gone "$id"
}

@test "run passes standard input, output and error through" {
    bundle '.process.args = ["sh", "-c", "cat; echo to-err >&2"]'
    echo from-stdin | oci run -b "$BUNDLE" "$(new_id)" >"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err"
    [[ $(cat "$BATS_TEST_TMPDIR/out") == from-stdin ]]
    [[ $(cat "$BATS_TEST_TMPDIR/err") == to-err ]]
}

@test "run --keep keeps the state of an ended container; run --detach returns at once" {
    bundle
    oci run --keep -b "$BUNDLE" "$(new_id)" </dev/null
    has_status "$(new_id)" stopped
    oci delete "$(new_id)"
    config '.process.args = ["sleep", "1000"]'
    oci run --detach -b "$BUNDLE" "$(new_id)" </dev/null >"$BATS_TEST_TMPDIR/out" 2>&1
    has_status "$(new_id)" running
}

@test "run forwards the signals it gets" {
    bundle '.root.readonly = false | .process.args = ["sh", "-c", "trap \"exit 9\" TERM; echo up >/up; while :; do sleep 1000 & wait; done"]'
    "$CTR_OCI" --root "$BATS_TEST_TMPDIR/oci" run -b "$BUNDLE" "$(new_id)" </dev/null >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- &
    local pid=$! status=0
    eventually test -s "$BUNDLE/rootfs/up"
    kill -TERM "$pid"
    wait "$pid" || status=$?
    [[ $status -eq 9 ]]
}

@test "--preserve-fds passes descriptors from 3 on, and none without it" {
    echo through >"$BATS_TEST_TMPDIR/file"
    bundle
    config '.process.args = ["sh", "-c", "cat <&3; ls /proc/self/fd | xargs"]'
    exec 8<"$BATS_TEST_TMPDIR/file"
    run -0 oci run --preserve-fds 1 -b "$BUNDLE" "$(new_id)" </dev/null 3<"$BATS_TEST_TMPDIR/file"
    [[ ${lines[0]} == through ]]
    run oci run -b "$BUNDLE" "$(new_id)" </dev/null 3<"$BATS_TEST_TMPDIR/file"
    lacks through
    run oci run --preserve-fds 5000 -b "$BUNDLE" "$(new_id)" </dev/null
    one_sentence 5000
    exec 8<&-
}

# --- exec, list, ps, pause -------------------------------------------------------------------------------

@test "exec runs a further process: status, environment, directory, user, capabilities" {
    running
    run oci exec "$ID" sh -c 'exit 42' </dev/null
    ended 42
    run -0 oci exec --env A=b --cwd /tmp --user 5:6 --additional-gids 7 "$ID" sh -c 'echo $A $(pwd) $(id -u) $(id -g) $(id -G)' </dev/null
    [[ $output == "b /tmp 5 6 6 7" ]]
    run -0 oci exec --cap CAP_NET_ADMIN "$ID" grep CapBnd /proc/self/status </dev/null
    has 00000000a80435fb
    run -0 oci exec "$ID" readlink /proc/self/ns/pid /proc/1/ns/pid </dev/null || run -0 oci exec "$ID" sh -c 'readlink /proc/self/ns/pid; readlink /proc/1/ns/pid' </dev/null
    [[ ${lines[0]} == "${lines[1]}" ]]
}

@test "exec --process takes a process object" {
    running
    echo '{"args": ["sh", "-c", "echo $X; pwd; id -u"], "cwd": "/tmp", "env": ["X=y", "PATH=/bin"], "user": {"uid": 3, "gid": 3}}' >"$BATS_TEST_TMPDIR/process.json"
    run -0 oci exec --process "$BATS_TEST_TMPDIR/process.json" "$ID" </dev/null
    [[ "${lines[*]}" == "y /tmp 3" ]]
    echo '{"args": "sh"}' >"$BATS_TEST_TMPDIR/process.json"
    run oci exec --process "$BATS_TEST_TMPDIR/process.json" "$ID" </dev/null
    one_sentence args
}

@test "exec --detach --pid-file leaves the process running" {
    running
    oci exec --detach --pid-file "$BATS_TEST_TMPDIR/exec-pid" "$ID" sleep 2000 </dev/null >"$BATS_TEST_TMPDIR/out" 2>&1
    local pid
    pid=$(cat "$BATS_TEST_TMPDIR/exec-pid")
    [[ $(tr '\0' ' ' <"/proc/$pid/cmdline") == "sleep 2000 " ]]
    run -0 oci ps -f json "$ID"
    [[ $(jq --argjson pid "$pid" 'index($pid) != null' <<<"$output") == true ]]
}

@test "exec of a program that is not there, or not executable, says so in podman's words" {
    running
    run oci exec "$ID" /no/such/program </dev/null
    [[ $status -ne 0 ]]
    has "executable file not found"
    run oci exec "$ID" nosuch </dev/null
    has "executable file not found"
    run oci exec "$ID" /etc/passwd </dev/null
    [[ $status -ne 0 ]]
    has "permission denied"
}

@test "exec into a stopped container is refused" {
    running
    oci kill "$ID" KILL
    eventually has_status "$ID" stopped
    run oci exec "$ID" true </dev/null
    one_sentence "$ID"
}

@test "list tells every container, as a table, as JSON and as ids" {
    running
    run -0 oci list -q
    [[ $output == "$ID" ]]
    run -0 oci list
    [[ ${lines[0]} == ID*PID*STATUS*BUNDLE*CREATED*OWNER* ]]
    [[ ${lines[1]} == "$ID"*running*"$BUNDLE"* ]]
    run -0 oci list -f json
    [[ $(jq -r '.[0] | .id + " " + .status' <<<"$output") == "$ID running" ]]
    run -0 oci --root "$BATS_TEST_TMPDIR/empty" list -f json
    [[ $(jq -c . <<<"$output") == "[]" || $(jq -c . <<<"$output") == null ]]
}

@test "ps tells the container's processes, as a table and as JSON" {
    running
    run -0 oci ps "$ID"
    has "sleep 1000"
    run -0 oci ps -f json "$ID"
    [[ $(jq -c . <<<"$output") == "[$(cat "$BATS_TEST_TMPDIR/pid")]" ]]
    run oci ps -f yaml "$ID"
    one_sentence yaml
}

@test "pause stops the container's processes and resume lets them go on" {
    running '.root.readonly = false | .process.args = ["sh", "-c", "i=0; while :; do i=$((i+1)); echo $i >/count; done"]'
    eventually test -s "$BUNDLE/rootfs/count"
    oci pause "$ID"
    has_status "$ID" paused
    run -0 grep frozen "$(cgroup2_mount)/ctr-oci/$ID/cgroup.events"
    [[ $output == "frozen 1" ]]
    run oci pause "$ID"
    one_sentence "$ID" paused
    run oci exec "$ID" true </dev/null
    one_sentence paused
    local before
    before=$(cat "$BUNDLE/rootfs/count")
    oci resume "$ID"
    has_status "$ID" running
    moved() { [[ $(cat "$BUNDLE/rootfs/count") != "$before" ]]; }
    eventually moved
    run oci resume "$ID"
    one_sentence "$ID" running
}

@test "delete --force removes a paused container" {
    running
    oci pause "$ID"
    oci delete --force "$ID"
    assert_gone "$ID"
}

@test "features is JSON that names what a config may ask for" {
    run -0 oci features
    [[ $(jq -r '.linux.namespaces | sort | join(" ")' <<<"$output") == "cgroup ipc mount network pid time user uts" ]]
    [[ $(jq -r '.hooks | length' <<<"$output") == 6 ]]
    [[ $(jq -r '.linux.cgroup.v2, .linux.seccomp.enabled' <<<"$output" | xargs) == "true true" ]]
}

@test "every verb has its --help, which says how it is used" {
    for verb in create start run exec state kill delete list ps pause resume spec features; do
        run -0 oci $verb --help
        [[ ${lines[0]} == "Usage: ctr-oci $verb"* ]]
    done
}

@test "--version tells name, spec version and feature words" {
    run -0 "$CTR_OCI" --version
    [[ ${lines[0]} == "ctr version "* && ${lines[1]} == "spec: 1."* ]]
    has +SECCOMP
}

# --- diagnostics -----------------------------------------------------------------------------------------

@test "--log-format json: the last line of the log is the error, as podman reads it" {
    bundle '.process.args = ["/no/such"]'
    run quiet oci --log "$BATS_TEST_TMPDIR/log" --log-format json create -b "$BUNDLE" "$(new_id)" </dev/null
    [[ $status -ne 0 ]]
    run -0 tail -n 1 "$BATS_TEST_TMPDIR/log"
    [[ $(jq -r .level <<<"$output") == error ]]
    [[ $(jq -r .msg <<<"$output") == *"executable file not found"* ]]
    date -d "$(jq -r .time <<<"$output")" >/dev/null
    assert_gone "$(new_id)"
}

@test "a program without execute permission is told by \"permission denied\"" {
    bundle '.process.args = ["/etc/passwd"]'
    run quiet oci --log "$BATS_TEST_TMPDIR/log" --log-format json create -b "$BUNDLE" "$(new_id)" </dev/null
    [[ $status -ne 0 ]]
    [[ $(tail -n 1 "$BATS_TEST_TMPDIR/log" | jq -r .msg) == *"permission denied"* ]]
    config '.process.args = ["/tmp"]'
    run quiet oci create -b "$BUNDLE" "$(new_id)" </dev/null
    [[ $status -ne 0 ]]
    assert_gone "$(new_id)"
}

@test "the log is appended to, line by line, and text is the default" {
    echo earlier >"$BATS_TEST_TMPDIR/log"
    run oci --log "$BATS_TEST_TMPDIR/log" state "$(new_id nothing)"
    [[ $(head -n 1 "$BATS_TEST_TMPDIR/log") == earlier ]]
    grep -q "error.*does not exist" "$BATS_TEST_TMPDIR/log"
    run oci --log-format xml list
    has xml
    [[ $status -ne 0 ]]
    run oci --log /nowhere/log list
    [[ $status -ne 0 ]]
    has /nowhere/log
}

@test "what is not supported is refused by name" {
    bundle
    run oci --systemd-cgroup run -b "$BUNDLE" "$(new_id)" </dev/null
    one_sentence systemd
    run oci --cgroup-manager nosuch list
    one_sentence nosuch
    run oci run --no-pivot -b "$BUNDLE" "$(new_id)" </dev/null
    one_sentence no-pivot
    run oci creat
    [[ $status -ne 0 ]]
    has create
}

# --- the terminal ----------------------------------------------------------------------------------------

# Receives one descriptor on unix socket $1 and copies what comes from it to $2.
console_receiver() {
    needs python3
    python3 - "$1" "$2" <<'PY' 3>&- &
import array, os, socket, sys
s = socket.socket(socket.AF_UNIX)
s.bind(sys.argv[1])
s.listen(1)
c, _ = s.accept()
name, anc, _, _ = c.recvmsg(4096, socket.CMSG_SPACE(4))
fd = array.array("i", anc[0][2][:4])[0]
out = open(sys.argv[2], "wb", buffering=0)
out.write(b"name " + name + b"\n" + (b"tty\n" if os.isatty(fd) else b"no tty\n"))
try:
    os.write(fd, b"echo $((40+2)); exit 5\n")
    while True:
        data = os.read(fd, 4096)
        if not data:
            break
        out.write(data)
except OSError:
    pass
out.write(b"END\n")
PY
    eventually test -S "$1"
}

@test "--console-socket gets the terminal's master" {
    needs python3
    console_receiver "$BATS_TEST_TMPDIR/sock" "$BATS_TEST_TMPDIR/tty"
    bundle '.process.terminal = true | .process.args = ["sh"] | .process.consoleSize = {"height": 33, "width": 99}'
    ID=$(new_id)
    oci create -b "$BUNDLE" --console-socket "$BATS_TEST_TMPDIR/sock" "$ID" </dev/null >"$BATS_TEST_TMPDIR/out" 2>&1
    oci start "$ID"
    eventually grep -q END "$BATS_TEST_TMPDIR/tty"
    run -0 cat "$BATS_TEST_TMPDIR/tty"
    [[ ${lines[1]} == tty ]]
    has 42
    eventually has_status "$ID" stopped
}

@test "exec --tty --console-socket gets a terminal of its own" {
    needs python3
    running
    console_receiver "$BATS_TEST_TMPDIR/sock" "$BATS_TEST_TMPDIR/tty"
    oci exec --tty --detach --console-socket "$BATS_TEST_TMPDIR/sock" "$ID" sh </dev/null >"$BATS_TEST_TMPDIR/out" 2>&1
    eventually grep -q END "$BATS_TEST_TMPDIR/tty"
    grep -q 42 "$BATS_TEST_TMPDIR/tty"
}

@test "a terminal without --console-socket, and a socket without a terminal, are refused" {
    bundle '.process.terminal = true'
    run quiet oci create -b "$BUNDLE" "$(new_id)" </dev/null
    one_sentence console-socket
    config '.process.terminal = false'
    run quiet oci create -b "$BUNDLE" --console-socket /nowhere "$(new_id)" </dev/null
    one_sentence terminal
    config '.process.terminal = true'
    run quiet oci create -b "$BUNDLE" --console-socket "$BATS_TEST_TMPDIR/nobody" "$(new_id)" </dev/null
    one_sentence nobody
    assert_gone "$(new_id)"
}

# --- bad configs -----------------------------------------------------------------------------------------

# refused_config FILTER TEXT...: the config so changed gives one sentence with the texts; nothing is left.
refused_config() {
    cp "$BUNDLE/config.json" "$BUNDLE/good"
    config "$1"
    run quiet oci create -b "$BUNDLE" "$(new_id)" </dev/null
    one_sentence "${@:2}" || {
        echo "for $1" >&2
        return 1
    }
    assert_gone "$(new_id)"
    mv "$BUNDLE/good" "$BUNDLE/config.json"
}

@test "a member of the wrong type is refused by its name" {
    bundle
    refused_config '.ociVersion = 1' ociVersion
    refused_config 'del(.ociVersion)' ociVersion
    refused_config '.ociVersion = "2.0.0"' 2.0.0
    refused_config '.process = "sh"' process
    refused_config '.process.args = "sh"' process.args
    refused_config '.process.args = [1]' process.args
    refused_config '.process.args = []' args
    refused_config 'del(.process.args)' args
    refused_config '.process.env = {}' process.env
    refused_config '.process.cwd = 5' process.cwd
    refused_config '.process.cwd = "tmp"' cwd
    refused_config '.process.terminal = "yes"' process.terminal
    refused_config '.process.user = 0' process.user
    refused_config '.process.user.uid = "root"' process.user.uid
    refused_config '.process.user.uid = -1' process.user.uid
    refused_config '.process.user.uid = 1.5' process.user.uid
    refused_config '.process.user.additionalGids = ["x"]' additionalGids
    refused_config '.process.capabilities = []' process.capabilities
    refused_config '.process.capabilities.bounding = "ALL"' bounding
    refused_config '.process.rlimits = [{"type": "RLIMIT_NOSUCH", "soft": 1, "hard": 1}]' RLIMIT_NOSUCH
    refused_config '.process.rlimits = [{"type": "RLIMIT_NOFILE", "soft": 2, "hard": 1}]' soft
    refused_config '.root = "rootfs"' root
    refused_config 'del(.root)' root.path
    refused_config '.root.path = ["rootfs"]' root.path
    refused_config '.root.path = "missing"' missing
    refused_config '.root.readonly = 1' root.readonly
    refused_config '.hostname = 5' hostname
    refused_config '.mounts = {}' mounts
    refused_config '.mounts = [5]' mounts
    refused_config '.mounts[0].destination = 5' destination
    refused_config 'del(.mounts[0].destination)' destination
    refused_config '.mounts[0].options = "ro"' options
    refused_config '.hooks = []' hooks
    refused_config '.hooks = {"prestart": [{"path": "relative"}]}' absolute
    refused_config '.annotations = {"a": 1}' annotations
    refused_config '.linux = []' linux
    refused_config '.linux.maskedPaths = "/proc/kcore"' maskedPaths
    refused_config '.linux.sysctl = {"net.ipv4.ip_forward": 1}' sysctl
    refused_config '.linux.rootfsPropagation = "sideways"' sideways
    refused_config '.linux.resources.devices = [{"allow": "no"}]' allow
    refused_config '.linux.resources.memory = 5' memory
    refused_config '.linux.cgroupsPath = 5' cgroupsPath
    refused_config '.linux.personality = {"domain": "LINUX64"}' LINUX64
}

@test "huge and impossible numbers are refused by name" {
    bundle
    refused_config '.process.user.uid = 4294967295' 4294967295
    refused_config '.process.user.uid = 4294967296' uid
    refused_config '.process.user.uid = 1e30' uid
    refused_config '.process.oomScoreAdj = 5000' oomScoreAdj
    refused_config '.process.user.umask = 4096' umask
    refused_config '.linux.devices = [{"path": "/dev/x", "type": "c", "major": 99999999999, "minor": 1}]' devices
    refused_config '.linux.resources.pids = {"limit": 1e300}' limit
    refused_config '.linux.resources.cpu = {"idle": 7}' idle
    # jq would not write this one.
    sed 's/"uid": 0/"uid": 99999999999999999999999999999999/' "$BUNDLE/config.json" >"$BUNDLE/config.new"
    mv "$BUNDLE/config.new" "$BUNDLE/config.json"
    run quiet oci create -b "$BUNDLE" "$(new_id)" </dev/null
    one_sentence uid
    assert_gone "$(new_id)"
}

@test "unknown, doubled and half-given namespaces are refused" {
    bundle
    refused_config '.linux.namespaces += [{"type": "space"}]' space
    refused_config '.linux.namespaces += [{"type": "pid"}]' pid second
    refused_config '.linux.namespaces += ["pid"]' namespaces
    refused_config '.linux.namespaces += [{"type": "user"}]' uidMappings
    refused_config '.linux.namespaces |= map(select(.type != "mount"))' mount
    refused_config '(.linux.namespaces[] | select(.type == "network")).path = "relative/ns"' absolute
    refused_config '(.linux.namespaces[] | select(.type == "network")).path = "/nowhere/ns"' /nowhere/ns
    refused_config '(.linux.namespaces[] | select(.type == "network")).path = "/proc/self/ns/uts"' network
    refused_config '.linux.uidMappings = [{"containerID": 0, "hostID": 0, "size": 1}]' uidMappings
    refused_config '.linux.timeOffsets = {"monotonic": {"secs": 1}}' time
}

@test "files that are no config: empty, truncated, too deep, too large, missing, no JSON" {
    bundle
    local good
    good=$(<"$BUNDLE/config.json")
    try() {
        run quiet oci create -b "$BUNDLE" "$(new_id)" </dev/null
        one_sentence config.json
        assert_gone "$(new_id)"
    }
    : >"$BUNDLE/config.json" && try
    printf '%s' "${good:0:500}" >"$BUNDLE/config.json" && try
    echo "not json" >"$BUNDLE/config.json" && try
    echo '[]' >"$BUNDLE/config.json" && try
    echo 'null' >"$BUNDLE/config.json" && try
    printf '{"ociVersion": "1.0.0"} trailing' >"$BUNDLE/config.json" && try
    printf '{"a": "b\0c"}' >"$BUNDLE/config.json" && try
    printf '{"a": "\\u0000"}' >"$BUNDLE/config.json" && try
    printf '{"a": "\377\376"}' >"$BUNDLE/config.json" && try
    (printf '{"a":%.0s' {1..5000}) >"$BUNDLE/config.json" && try
    head -c 100000 /dev/zero | tr '\0' '[' >"$BUNDLE/config.json" && try
    (
        printf '{"ociVersion": "1.0.0", "x": "'
        head -c $((9 << 20)) /dev/zero | tr '\0' x
        printf '"}'
    ) >"$BUNDLE/config.json" && try
    rm "$BUNDLE/config.json" && try
    mkdir "$BUNDLE/config.json" && try
    rmdir "$BUNDLE/config.json"
    mkfifo "$BUNDLE/config.json" && try
    run quiet oci create -b "$BATS_TEST_TMPDIR/nowhere" "$(new_id)" </dev/null
    one_sentence nowhere
}

@test "what this version does not do is refused, not dropped" {
    bundle
    refused_config '.linux.intelRdt = {"closID": "x"}' intelRdt
    refused_config '.linux.mountLabel = "x"' mountLabel
    refused_config '.process.selinuxLabel = "x"' selinuxLabel
    refused_config '.vm = {"kernel": {"path": "/x"}}' vm
    refused_config '.linux.cgroupsPath = "system.slice:ctr:x"' cgroupsPath
}

@test "a mount that fails names its destination, and leaves nothing" {
    bundle
    refused_config '.mounts += [{"destination": "/mnt", "type": "nosuchfs", "source": "x"}]' nosuchfs
    refused_config '.mounts += [{"destination": "/mnt", "type": "bind", "source": "/nowhere/here", "options": ["rbind"]}]' /nowhere/here
    refused_config '.mounts += [{"destination": "/mnt", "type": "bind"}]' source
    refused_config '.mounts += [{"destination": "/etc/passwd", "type": "tmpfs", "source": "tmpfs"}]' /etc/passwd
    refused_config '.mounts += [{"destination": "/mnt", "type": "tmpfs", "source": "tmpfs", "options": ["nosuchoption=1"]}]' nosuchoption
    refute grep -q "$BUNDLE" /proc/self/mountinfo
}

# --- what a config asks for ------------------------------------------------------------------------------

# Six hooks that write their name and what they got.
hook_bundle() {
    bundle "$@"
    LOG=$BUNDLE/hooks.log
    cat >"$BUNDLE/hook" <<SH
#!/bin/sh
state=\$(cat)
echo "\$1" >>"$LOG"
printf '%s\n' "\$state" >"$BUNDLE/state.\$1"
readlink /proc/self/ns/mnt >"$BUNDLE/mnt.\$1"
grep SigBlk /proc/self/status >"$BUNDLE/sig.\$1"
[ "\$1" != "\$FAIL" ]
SH
    chmod 0755 "$BUNDLE/hook"
    # startContainer runs inside.
    cp "$BUNDLE/hook" "$BUNDLE/rootfs/hook"
    mkdir -p "$BUNDLE/rootfs$BUNDLE"
    config --arg hook "$BUNDLE/hook" --arg dir "$BUNDLE" '.root.readonly = false
        | .mounts += [{"destination": $dir, "type": "bind", "source": $dir, "options": ["bind"]}]
        | .hooks = {
            prestart: [{path: $hook, args: ["hook", "prestart"]}],
            createRuntime: [{path: $hook, args: ["hook", "createRuntime"]}],
            createContainer: [{path: $hook, args: ["hook", "createContainer"]}],
            startContainer: [{path: "/hook", args: ["hook", "startContainer"], env: ["PATH=/bin"]}],
            poststart: [{path: $hook, args: ["hook", "poststart"]}],
            poststop: [{path: $hook, args: ["hook", "poststop"]}]}'
}

@test "the six hooks run in the order of the specification, each at its time" {
    hook_bundle '.process.args = ["sleep", "1000"]'
    ID=$(new_id)
    oci create -b "$BUNDLE" "$ID" </dev/null >"$BATS_TEST_TMPDIR/out" 2>&1
    [[ $(xargs <"$LOG") == "prestart createRuntime createContainer" ]]
    oci start "$ID"
    [[ $(xargs <"$LOG") == "prestart createRuntime createContainer startContainer poststart" ]]
    oci kill "$ID" KILL
    eventually has_status "$ID" stopped
    oci delete "$ID"
    [[ $(xargs <"$LOG") == "prestart createRuntime createContainer startContainer poststart poststop" ]]
}

@test "each hook gets the state on stdin: id, status, bundle, pid, with slashes as they are" {
    hook_bundle '.process.args = ["true"] | .annotations = {"org.example/x": "y"}'
    oci run -b "$BUNDLE" "$(new_id)" </dev/null
    for hook in prestart createRuntime createContainer startContainer poststart poststop; do
        [[ $(jq -r '.id + " " + .bundle + " " + .annotations["org.example/x"]' "$BUNDLE/state.$hook") == "$(new_id) $BUNDLE y" ]]
        refute grep -qF '\/' "$BUNDLE/state.$hook"
    done
    [[ $(jq -r .status "$BUNDLE/state.prestart") == creating ]]
    [[ $(jq -r .status "$BUNDLE/state.createRuntime") == creating ]]
    (($(jq .pid "$BUNDLE/state.createRuntime") > 1))
    [[ $(jq -r .status "$BUNDLE/state.poststart") == running ]]
    [[ $(jq -r .status "$BUNDLE/state.poststop") == stopped ]]
}

@test "hooks run where the specification says: the runtime's mount namespace or the container's" {
    hook_bundle '.process.args = ["true"]'
    oci run -b "$BUNDLE" "$(new_id)" </dev/null
    local host
    host=$(readlink /proc/self/ns/mnt)
    for hook in prestart createRuntime poststart poststop; do
        [[ $(cat "$BUNDLE/mnt.$hook") == "$host" ]]
    done
    [[ $(cat "$BUNDLE/mnt.createContainer") != "$host" ]]
    [[ $(cat "$BUNDLE/mnt.createContainer") == "$(cat "$BUNDLE/mnt.startContainer")" ]]
}

@test "hooks start with no signal blocked" {
    hook_bundle '.process.args = ["true"]'
    oci run -b "$BUNDLE" "$(new_id)" </dev/null
    for hook in prestart createRuntime createContainer startContainer poststart poststop; do
        [[ $(cat "$BUNDLE/sig.$hook") == "SigBlk:	0000000000000000" ]]
    done
}

@test "a hook that fails before the start stops the container and leaves nothing" {
    for hook in prestart createRuntime createContainer; do
        hook_bundle '.process.args = ["sh", "-c", "echo RAN"]'
        config --arg hook "$hook" '.hooks[$hook][0].env = ["FAIL=" + $hook]'
        run quiet oci create -b "$BUNDLE" "$(new_id)" </dev/null
        [[ $status -ne 0 ]]
        has "$BUNDLE/hook"
        lacks RAN
        assert_gone "$(new_id)"
    done
}

@test "a failing startContainer hook keeps the program from running" {
    hook_bundle '.process.args = ["sh", "-c", "echo RAN"]'
    config '.hooks.startContainer[0].env = ["FAIL=startContainer", "PATH=/bin"]'
    run oci run -b "$BUNDLE" "$(new_id)" </dev/null
    [[ $status -ne 0 ]]
    has /hook
    lacks RAN
    assert_gone "$(new_id)"
}

@test "a failing poststart hook stops the container" {
    hook_bundle '.process.args = ["sleep", "1000"]'
    config '.hooks.poststart[0].env = ["FAIL=poststart"]'
    ID=$(new_id)
    oci create -b "$BUNDLE" "$ID" </dev/null >"$BATS_TEST_TMPDIR/out" 2>&1
    run oci start "$ID"
    [[ $status -ne 0 ]]
    has hook
    eventually has_status "$ID" stopped
    oci delete "$ID"
    assert_gone "$ID"
}

@test "a failing poststop hook is told and does not keep the container" {
    hook_bundle
    config '.hooks.poststop[0].env = ["FAIL=poststop"]'
    run oci run -b "$BUNDLE" "$(new_id)" </dev/null
    has "$BUNDLE/hook"
    assert_gone "$(new_id)"
}

@test "a hook that takes longer than its timeout is killed, and one that is missing is named" {
    bundle '.hooks = {"createRuntime": [{"path": "/bin/sleep", "args": ["sleep", "1000"], "timeout": 1}]}'
    run quiet oci create -b "$BUNDLE" "$(new_id)" </dev/null
    one_sentence /bin/sleep "1 s"
    config '.hooks = {"createRuntime": [{"path": "/no/such/hook"}]}'
    run quiet oci create -b "$BUNDLE" "$(new_id)" </dev/null
    one_sentence /no/such/hook
    assert_gone "$(new_id)"
}

@test "rlimits are set; the hard limit too" {
    bundle '.process.rlimits = [{"type": "RLIMIT_NOFILE", "soft": 111, "hard": 222}, {"type": "RLIMIT_CORE", "soft": 0, "hard": 0}]'
    run -0 in_bundle 'ulimit -n; ulimit -Hn; ulimit -c'
    [[ "${lines[*]}" == "111 222 0" ]]
}

@test "hostname, domainname, oomScoreAdj, umask, env, cwd, user and groups are as the config says" {
    bundle '.hostname = "inside" | .domainname = "domain" | .process.oomScoreAdj = 77 | .process.env += ["A=b=c"] | .process.cwd = "/tmp"
        | .process.user = {"uid": 10, "gid": 20, "umask": 63, "additionalGids": [30, 40]}'
    run -0 in_bundle 'hostname; cat /proc/sys/kernel/domainname /proc/self/oom_score_adj; echo $A; pwd; id -u; id -G; umask'
    [[ "${lines[*]}" == "inside domain 77 b=c /tmp 10 20 30 40 0077" ]]
}

@test "capabilities are exactly those of the config, in each of the five sets" {
    bundle '.process.capabilities = {"bounding": ["CAP_KILL", "CAP_CHOWN"], "effective": ["CAP_KILL"], "permitted": ["CAP_KILL", "CAP_CHOWN"], "inheritable": ["CAP_KILL"], "ambient": ["CAP_KILL"]} | .process.user = {"uid": 10, "gid": 10}'
    run -0 in_bundle 'grep ^Cap /proc/self/status'
    has "CapInh:	0000000000000020"
    has "CapAmb:	0000000000000020"
    has "CapBnd:	0000000000000021"
    has "CapEff:	0000000000000020"
    config 'del(.process.capabilities.inheritable, .process.capabilities.ambient) | .process.user = {"uid": 0, "gid": 0}'
    run -0 in_bundle 'grep ^Cap /proc/self/status'
    has "CapInh:	0000000000000000"
    has "CapAmb:	0000000000000000"
}

@test "an unknown capability is warned about and ignored, as the specification says" {
    bundle '.process.capabilities.bounding += ["CAP_NOSUCH"]'
    run -0 in_bundle 'echo ran'
    has ran
    has CAP_NOSUCH
}

@test "a read-only root cannot be written, a writable one can" {
    bundle
    run in_bundle 'touch /x'
    [[ $status -ne 0 ]]
    has "Read-only file system"
    config '.root.readonly = false'
    run -0 in_bundle 'touch /x'
    [[ -e $BUNDLE/rootfs/x ]]
}

@test "bind mounts: read-only, a file, recursively, relative to the bundle; the source stays as it is" {
    bundle '.mounts += [
        {"destination": "/mnt/dir", "type": "bind", "source": "data", "options": ["rbind", "ro"]},
        {"destination": "/mnt/file", "source": "data/file", "options": ["bind"]}]'
    mkdir "$BUNDLE/data"
    echo content >"$BUNDLE/data/file"
    run -0 in_bundle 'cat /mnt/dir/file; touch /mnt/dir/x 2>&1; echo more >>/mnt/file; true'
    has content
    has "Read-only file system"
    [[ $(xargs <"$BUNDLE/data/file") == "content more" ]]
    refute grep -q "$BUNDLE" /proc/self/mountinfo
}

@test "rro makes what is mounted below read-only as well, ro does not" {
    bundle '.mounts += [{"destination": "/mnt", "type": "tmpfs", "source": "tmpfs"}]'
    mkdir -p "$BUNDLE/tree/below"
    mount -t tmpfs none "$BUNDLE/tree/below" || skip "no mounts here"
    config --arg tree "$BUNDLE/tree" '.mounts += [{"destination": "/mnt/rro", "source": $tree, "options": ["rbind", "rro"]}, {"destination": "/mnt/ro", "source": $tree, "options": ["rbind", "ro"]}]'
    run -0 in_bundle 'touch /mnt/rro/below/x 2>&1; touch /mnt/ro/below/y && echo written; true'
    umount "$BUNDLE/tree/below"
    has "Read-only file system"
    has written
}

@test "tmpcopyup fills a tmpfs with what the image has there, owners and modes included" {
    bundle '.mounts += [{"destination": "/data", "type": "tmpfs", "source": "tmpfs", "options": ["tmpcopyup"]}]'
    mkdir -p "$BUNDLE/rootfs/data/sub"
    echo inside >"$BUNDLE/rootfs/data/sub/file"
    ln -s sub/file "$BUNDLE/rootfs/data/link"
    ln -s /etc/shadow "$BUNDLE/rootfs/data/out"
    chown 5:6 "$BUNDLE/rootfs/data/sub/file"
    chmod 4751 "$BUNDLE/rootfs/data/sub/file"
    run -0 in_bundle 'cat /data/link; stat -c "%u:%g %a" /data/sub/file; readlink /data/out; touch /data/new; grep -c " /data tmpfs" /proc/mounts'
    [[ "${lines[*]}" == "inside 5:6 4751 /etc/shadow 1" ]]
    [[ ! -e $BUNDLE/rootfs/data/new ]]
}

@test "rootfsPropagation shows in the container, and never reaches the host" {
    bundle
    run -0 in_bundle 'awk "\$5 == \"/\" {print \$7}" /proc/self/mountinfo'
    lacks shared
    config '.linux.rootfsPropagation = "shared"'
    run -0 in_bundle 'awk "\$5 == \"/\" {print \$7}" /proc/self/mountinfo'
    has shared
    config '.linux.rootfsPropagation = "private"'
    run -0 in_bundle 'awk "\$5 == \"/\" {print \$7}" /proc/self/mountinfo'
    [[ $output == "-" ]]
    config '.linux.rootfsPropagation = "shared" | .process.capabilities |= with_entries(.value += ["CAP_SYS_ADMIN"])'
    run -0 in_bundle 'mount -t tmpfs leaked /tmp; grep -c leaked /proc/mounts'
    [[ $output == 1 ]]
    refute grep -q leaked /proc/self/mountinfo
}

@test "masked and read-only paths of the config, files and directories" {
    bundle '.linux.maskedPaths = ["/etc/passwd", "/home", "/missing"] | .linux.readonlyPaths = ["/root", "/missing"] | .root.readonly = false'
    mkdir -p "$BUNDLE/rootfs/home/user"
    run -0 in_bundle 'wc -c </etc/passwd; ls /home | wc -l; touch /root/x 2>&1; touch /home/x 2>&1; touch /x && echo fine; true'
    [[ ${lines[0]} == 0 && ${lines[1]} == 0 ]]
    [[ $(grep -c "Read-only file system" <<<"$output") -eq 2 ]]
    has fine
}

@test "devices of the config are made, with mode and owner, and only those" {
    bundle '.linux.devices = [{"path": "/dev/mykmsg", "type": "c", "major": 1, "minor": 11, "fileMode": 416, "uid": 5, "gid": 6}, {"path": "/dev/fifo", "type": "p"}]'
    run -0 in_bundle 'stat -c "%t:%T %a %u:%g" /dev/mykmsg; stat -c %F /dev/fifo; head -c 1 /dev/mykmsg 2>&1; true'
    [[ ${lines[0]} == "1:b 640 5:6" && ${lines[1]} == fifo ]]
    has "Operation not permitted"
}

@test "a user namespace from the config: ids mapped, /dev and /proc usable, root of it powerless outside" {
    bundle '.linux.namespaces += [{"type": "user"}] | .linux.uidMappings = [{"containerID": 0, "hostID": 100000, "size": 65536}] | .linux.gidMappings = .linux.uidMappings'
    # The bundle's files belong to that root.
    chown -R 100000:100000 "$BUNDLE/rootfs"
    # And it must be able to walk there: the bundle's path is looked up as that root.
    local dir=$BUNDLE
    until [[ $dir == /tmp || $dir == / ]]; do
        chmod a+x "$dir"
        dir=$(dirname "$dir")
    done
    run -0 in_bundle 'cat /proc/self/uid_map | xargs; id -u; stat -c "%u %t:%T" /dev/null; echo x >/dev/null && echo null-works; mount -t tmpfs x /tmp 2>/dev/null || echo no-mount'
    [[ ${lines[0]} == "0 100000 65536" && ${lines[1]} == 0 ]]
    has null-works
    has no-mount
}

@test "time offsets of the config" {
    bundle '.linux.namespaces += [{"type": "time"}] | .linux.timeOffsets = {"monotonic": {"secs": 5000000}, "boottime": {"secs": 5000000}}'
    run -0 in_bundle 'cut -d. -f1 /proc/uptime'
    ((output > 5000000))
}

@test "sysctls of the config: those of its namespaces are set, others refused" {
    bundle '.linux.sysctl = {"net.ipv4.ip_forward": "1", "net/ipv4/conf/lo/forwarding": "1"}'
    run -0 in_bundle 'cat /proc/sys/net/ipv4/ip_forward'
    [[ $output == 1 ]]
    refused_config '.linux.sysctl = {"kernel.panic": "1"}' kernel.panic
    refused_config '.linux.sysctl = {"net/../kernel/panic": "1"}' panic
}

@test "a network namespace of another process is joined" {
    running
    bundle --arg path "/proc/$(cat "$BATS_TEST_TMPDIR/pid")/ns/net" '(.linux.namespaces[] | select(.type == "network")).path = $path'
    config '.process.args = ["readlink", "/proc/self/ns/net"]'
    run -0 oci run -b "$BUNDLE" "$(new_id joined)" </dev/null
    [[ $output == "$(readlink "/proc/$(cat "$BATS_TEST_TMPDIR/pid")/ns/net")" ]]
}

@test "cgroupsPath is where the cgroup is made, and it goes with the container" {
    local path=/ctr-test-$$/sub
    bundle --arg path "$path" '.linux.cgroupsPath = $path | .process.args = ["sleep", "1000"]'
    oci create -b "$BUNDLE" "$(new_id)" </dev/null >"$BATS_TEST_TMPDIR/out" 2>&1
    [[ -d $(cgroup2_mount)$path ]]
    oci delete --force "$(new_id)"
    [[ ! -e $(cgroup2_mount)$path ]]
    rmdir "$(cgroup2_mount)/ctr-test-$$" 2>/dev/null || true
}

@test "--cgroup-manager disabled makes no cgroup" {
    bundle '.process.args = ["sleep", "1000"]'
    oci --cgroup-manager disabled create -b "$BUNDLE" "$(new_id)" </dev/null >"$BATS_TEST_TMPDIR/out" 2>&1
    [[ ! -e $(cgroup2_mount)/ctr-oci/$(new_id) ]]
    oci start "$(new_id)"
    run oci pause "$(new_id)"
    one_sentence "no cgroup"
    oci delete --force "$(new_id)"
    assert_gone "$(new_id)"
}

@test "seccomp of the config: errno, and what the profile cannot mean is refused" {
    bundle '.linux.seccomp = {"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64"], "syscalls": [{"names": ["mkdir", "mkdirat", "no_such_call"], "action": "SCMP_ACT_ERRNO", "errnoRet": 122}]}'
    run in_bundle 'mkdir /tmp/x'
    ended 1
    has "uota exceeded"
    refused_config '.linux.seccomp.defaultAction = "SCMP_ACT_WHATEVER"' SCMP_ACT_WHATEVER
}

@test "two creates of one id at once: one wins, the other is refused, nothing is lost" {
    bundle '.process.args = ["sleep", "1000"]'
    local id=$(new_id) pids=() ok=0
    for i in 1 2 3 4; do
        oci create -b "$BUNDLE" "$id" </dev/null >"$BATS_TEST_TMPDIR/out.$i" 2>&1 3>&- &
        pids+=($!)
    done
    for pid in "${pids[@]}"; do
        ! wait "$pid" || ok=$((ok + 1))
    done
    [[ $ok -eq 1 ]]
    has_status "$id" created
}

@test "a create that is killed half-way leaves what delete --force clears" {
    bundle '.hooks = {"createRuntime": [{"path": "/bin/sleep", "args": ["sleep", "1000"]}]}'
    "$CTR_OCI" --root "$BATS_TEST_TMPDIR/oci" create -b "$BUNDLE" "$(new_id)" </dev/null >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- &
    local pid=$! hook
    hook_runs() { hook=$(pgrep -P "$pid" -x sleep); }
    eventually hook_runs
    kill -KILL "$pid"
    wait "$pid" || true
    kill "$hook"
    oci delete --force "$(new_id)"
    assert_gone "$(new_id)"
}
