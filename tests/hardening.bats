# The families of attacks that have broken container runtimes, each tried against ctr; see the table in
# docs/architecture.md. What an attack must not change is looked at on the host, not in the container.

load oci_helpers

setup_file() {
    ctr run --rm busybox true </dev/null
}

teardown() {
    remove_all
    jobs -p | xargs -r kill 2>/dev/null || true
}

# A root filesystem of ours as $ROOT, to be prepared by the test and run with --rootfs.
hostile_root() {
    ROOT=$(mktemp -d "$BATS_TEST_TMPDIR/root.XXXXXX")
    cp -a "$(busybox_tree)/." "$ROOT"
    chmod 0755 "$ROOT"
}

# Runs a script in it.
in_root() {
    ctr run --rm --rootfs "${@:1:$#-1}" "$ROOT" sh -c "${*: -1}" </dev/null
}

# A directory of the host that no container may get at, with its listing before the attack.
victim() {
    VICTIM=$BATS_TEST_TMPDIR/victim
    mkdir -p "$VICTIM/dir"
    echo precious >"$VICTIM/file"
    listing >"$BATS_TEST_TMPDIR/before"
}

listing() {
    (cd "$VICTIM" && find . -printf '%p %u %g %m %y %s\n' | sort && cat file)
}

assert_untouched() {
    diff "$BATS_TEST_TMPDIR/before" <(listing)
}

checksum() {
    sha256sum <"$(readlink -f "$CTR")"
}

# --- the runtime's own binary ----------------------------------------------------------------------------

# Writes into whatever program of ctr's shows in /proc, by every way there is, and says what it met.
overwrite='
for p in /proc/[0-9]*; do
    case $(readlink $p/exe) in
    /bin/busybox | "") continue ;;
    esac
    echo "target $p $(readlink $p/exe)"
    (
        exec 8<$p/exe
        (echo overwritten >>$p/exe) && echo WRITTEN
        (echo overwritten 1<>$p/exe) && echo WRITTEN
        (echo overwritten >>/proc/self/fd/8) && echo WRITTEN
        mount -o remount,rw $p/exe && echo REMOUNTED
        (echo overwritten >$p/exe) && echo WRITTEN
    ) 2>&1
done
true'

static_ctr() {
    file -bL "$CTR" | grep -q 'static' || skip "this build of ctr is dynamic: it cannot run inside the container"
}

@test "/proc/self/exe leads an exec nowhere: who looks for the program is not in the container's pid namespace" {
    local before
    before=$(checksum)
    for privileges in "" --privileged; do
        ctr run -d --name victim $privileges busybox sleep 1000 </dev/null
        run -127 ctr exec $privileges victim /proc/self/exe --version </dev/null
        # The kernel looks for an interpreter later, in the process that is in there: that finds the sealed ctr.
        ctr exec victim sh -c 'printf "#!/proc/self/exe --version\n" >/s; chmod +x /s' </dev/null
        run ctr exec $privileges victim /s </dev/null
        ctr rm --force victim
        [[ $(checksum) == "$before" ]]
    done
}

@test "an image whose program is /proc/self/exe runs ctr read-only, with and without privileges" {
    local before
    before=$(checksum)
    for privileges in "" --privileged; do
        run ctr run --rm $privileges --entrypoint /proc/self/exe busybox --version </dev/null
        [[ $(checksum) == "$before" ]]
        # The shell is what a script of `#!/proc/self/exe` gets as its argument.
        hostile_root
        printf '#!/proc/self/exe\n' >"$ROOT/evil"
        chmod 0755 "$ROOT/evil"
        ln -s /proc/self/exe "$ROOT/link"
        run ctr run --rm $privileges --rootfs "$ROOT" /evil </dev/null
        run ctr run --rm $privileges --rootfs "$ROOT" /link </dev/null
        [[ $(checksum) == "$before" ]]
    done
    "$CTR" --version >/dev/null
}

@test "a container that watches /proc cannot write ctr while others exec into it" {
    local before privileges
    before=$(checksum)
    for privileges in "" --privileged; do
        ctr run -d --name watcher $privileges busybox sh -c "while :; do $overwrite; done >/found 2>&1" </dev/null
        for _ in {1..20}; do
            ctr exec watcher /proc/self/exe --help </dev/null >/dev/null 2>&1 || true
            ctr exec watcher true </dev/null
        done
        run -0 ctr exec watcher sh -c 'cat /found' </dev/null
        lacks WRITTEN
        lacks REMOUNTED
        ctr rm --force watcher
        [[ $(checksum) == "$before" ]]
    done
    "$CTR" --version >/dev/null
}

@test "ctr-oci seals itself as well: its program cannot be written by the container it runs" {
    local before
    before=$(checksum)
    bundle --arg script 'cp /bin/busybox /tmp/b; (echo x >>/proc/1/exe) 2>&1; (echo x >>/proc/self/exe) 2>&1; exec /proc/self/exe true' \
        '.process.args = ["sh", "-c", $script] | .root.readonly = false | .process.noNewPrivileges = false'
    oci run -b "$BUNDLE" "$(new_id)" </dev/null >"$BATS_TEST_TMPDIR/out" 2>&1 || true
    [[ $(checksum) == "$before" ]]
    bundle '.process.args = ["/proc/self/exe", "--version"]'
    run oci run -b "$BUNDLE" "$(new_id)" </dev/null
    [[ $(checksum) == "$before" ]]
    assert_gone "$(new_id)"
}

# --- leaked descriptors and the working directory --------------------------------------------------------

# From a working directory outside the root, going up ends in the host's root.
going_up='[ "$(ls -A ../../../../../../../../../../..)" = "$(ls -A /)" ] && echo inside || echo OUTSIDE'

@test "a working directory of /proc/self/fd/N leads to nothing of the host: most are refused" {
    local refused=0
    exec 5</ 6</etc
    for n in {3..16}; do
        for dir in "/proc/self/fd/$n" "/proc/self/fd/$n/../../.." "/proc/1/fd/$n" "/proc/self/task/1/fd/$n"; do
            run in_container --workdir "$dir" "$going_up"
            [[ $status -eq 125 && $output == *"working directory"* || $output == inside ]]
            [[ $status -eq 0 ]] || refused=$((refused + 1))
        done
    done
    exec 5<&- 6<&-
    ((refused > 28))
}

@test "the same in an exec, and in a bundle" {
    ctr run -d --name here busybox sleep 1000 </dev/null
    for n in {3..12}; do
        run ctr exec --workdir "/proc/self/fd/$n" here sh -c "$going_up" </dev/null
        [[ $status -ne 0 && $output == *"working directory"* || $output == inside ]]
        bundle --arg cwd "/proc/self/fd/$n" --arg up "$going_up" '.process.cwd = $cwd | .process.args = ["sh", "-c", $up]'
        run oci run -b "$BUNDLE" "$(new_id)" </dev/null
        [[ $status -ne 0 && $output == *"working directory"* || $output == inside ]]
        rm -r "$BUNDLE"
    done
    assert_gone "$(new_id)"
}

@test "a symlink to /proc/self/fd/N as the working directory is no way out either" {
    hostile_root
    for n in {3..10}; do
        ln -sfn "/proc/self/fd/$n" "$ROOT/wd"
        for dir in /wd /wd/sub; do
            run in_root --workdir "$dir" "$going_up"
            [[ $status -eq 125 || $output == inside ]]
        done
    done
    [[ -L $ROOT/wd ]]
}

@test "a working directory is made inside, never on the host through a symlink of the image" {
    victim
    hostile_root
    ln -s "$VICTIM" "$ROOT/out"
    ln -s ../../../../../../../../.."$VICTIM" "$ROOT/relative"
    run in_root --workdir /out/made 'pwd'
    run in_root --workdir /relative/made 'pwd'
    assert_untouched
    # Under the root, that is where it is made.
    [[ ! -e $VICTIM/made ]]
}

# --- mount targets ---------------------------------------------------------------------------------------

@test "a volume's target through a symlink that points outside stays in the container" {
    victim
    hostile_root
    mkdir "$BATS_TEST_TMPDIR/source"
    echo mounted >"$BATS_TEST_TMPDIR/source/mark"
    ln -s "$VICTIM" "$ROOT/absolute"
    ln -s "../../../../../../../..$VICTIM" "$ROOT/relative"
    ln -s "$VICTIM/file" "$ROOT/tofile"
    for target in /absolute /absolute/dir /absolute/new /relative/dir /relative/new/deep; do
        run in_root -v "$BATS_TEST_TMPDIR/source:$target" "cat $target/mark"
        # Refused, or mounted where the name leads inside; both are safe.
        [[ $status -eq 125 || $output == mounted ]]
        assert_untouched
        refute grep -q "$VICTIM" /proc/self/mountinfo
    done
    run in_root -v "$BATS_TEST_TMPDIR/source/mark:/tofile" "cat /tofile"
    [[ $status -eq 125 || $output == mounted ]]
    assert_untouched
}

@test "a mount over /proc or into it is refused, whatever the name" {
    hostile_root
    ln -s /proc "$ROOT/p"
    ln -s /proc/self "$ROOT/self"
    mkdir -p "$BATS_TEST_TMPDIR/fake"
    echo fake >"$BATS_TEST_TMPDIR/fake/file"
    for target in /proc /proc/ //proc /proc/. /proc/self /proc/1 /proc/sys /p /p/sys /self/attr /tmp/../proc /proc/self/task; do
        run in_root -v "$BATS_TEST_TMPDIR/fake:$target" 'true'
        ended 125
        one_sentence
        run in_root --tmpfs "$target" 'true'
        ended 125
        run in_root --mount "type=bind,source=$BATS_TEST_TMPDIR/fake,destination=$target" 'true'
        ended 125
    done
    for target in /proc/self/attr/exec /proc/sys/kernel/hostname /proc/1/environ /p/version /self/exe; do
        run in_root -v "$BATS_TEST_TMPDIR/fake/file:$target" 'true'
        ended 125
    done
}

@test "files of /proc that lxcfs provides may be replaced" {
    echo 12345.00 1.00 >"$BATS_TEST_TMPDIR/uptime"
    run -0 in_container -v "$BATS_TEST_TMPDIR/uptime:/proc/uptime:ro" 'cat /proc/uptime'
    [[ $output == "12345.00 1.00" ]]
}

@test "an image with a symlink for /proc or /sys is refused, not masked somewhere else" {
    victim
    for name in proc sys; do
        for target in "$VICTIM" /tmp /etc ../../../../../../..; do
            hostile_root
            rm -rf "${ROOT:?}/$name"
            ln -s "$target" "$ROOT/$name"
            run in_root 'true'
            ended 125
            one_sentence "/$name"
            assert_untouched
            rm -rf "$ROOT"
        done
    done
}

@test "an image with a symlink for /dev, /dev/pts, /dev/shm or /etc gets nothing made on the host" {
    victim
    for target in "$VICTIM" "../../../../../../..$VICTIM" /proc/1/root /proc/self/cwd /tmp; do
        for name in dev etc; do
            hostile_root
            rm -rf "${ROOT:?}/$name"
            ln -s "$target" "$ROOT/$name"
            run in_root 'ls -l /dev/null; cat /etc/hostname'
            assert_untouched
            rm -rf "$ROOT"
        done
        hostile_root
        rm -rf "$ROOT/dev"
        mkdir "$ROOT/dev"
        ln -s "$target" "$ROOT/dev/pts"
        ln -s "$target" "$ROOT/dev/shm"
        ln -s "$target/file" "$ROOT/dev/null"
        ln -s "$target/file" "$ROOT/dev/console"
        run -0 in_root 'stat -c "%t:%T %F" /dev/null; ls /dev/pts'
        [[ ${lines[0]} == "1:3 character special file" ]]
        assert_untouched
        rm -rf "$ROOT"
    done
}

@test "an image whose /etc/hosts, hostname, resolv.conf, passwd or group are symlinks outside changes nothing there" {
    victim
    for target in "$VICTIM/file" "../../../../../../../..$VICTIM/file" "$VICTIM/new" /proc/1/environ /proc/self/mem /proc/sys/kernel/hostname /dev/null; do
        for name in hosts hostname resolv.conf passwd group; do
            hostile_root
            rm -f "$ROOT/etc/$name"
            ln -s "$target" "$ROOT/etc/$name"
            run in_root 'id; cat /etc/hosts'
            lacks precious
            [[ $status -eq 0 || $status -eq 125 || $status -eq 1 ]]
            assert_untouched
            rm -rf "$ROOT"
        done
    done
}

@test "in a bundle without a /dev of its own, nodes that the image has there are checked" {
    victim
    for target in "$VICTIM/file" /etc/passwd /proc/self/mem; do
        bundle '.mounts |= map(select(.destination | startswith("/dev") | not)) | .root.readonly = false'
        rm -rf "$BUNDLE/rootfs/dev"
        mkdir "$BUNDLE/rootfs/dev"
        ln -s "$target" "$BUNDLE/rootfs/dev/null"
        run oci run -b "$BUNDLE" "$(new_id)" </dev/null
        [[ $status -ne 0 ]]
        has /dev/null
        assert_untouched
        assert_gone "$(new_id)"
        rm -rf "$BUNDLE"
    done
}

@test "a masked path that is a symlink of the image masks nothing of the host" {
    victim
    hostile_root
    bundle '.linux.maskedPaths += ["/secret", "/secretdir/x", "/loop"] | .linux.readonlyPaths += ["/ro"] | .process.args = ["sh", "-c", "cat /secret; ls /secretdir"]'
    ln -s "$VICTIM/file" "$BUNDLE/rootfs/secret"
    ln -s "$VICTIM" "$BUNDLE/rootfs/secretdir"
    ln -s "$VICTIM" "$BUNDLE/rootfs/ro"
    run oci run -b "$BUNDLE" "$(new_id)" </dev/null
    lacks precious
    assert_untouched
    echo still >>"$VICTIM/file"
    grep -q still "$VICTIM/file"
    refute grep -q "$VICTIM" /proc/self/mountinfo
}

@test "a symlink swapped under a volume's target while mounting never gets the host mounted" {
    victim
    hostile_root
    mkdir "$BATS_TEST_TMPDIR/source"
    echo mounted >"$BATS_TEST_TMPDIR/source/mark"
    mkdir -p "$ROOT/race/dir/sub"
    ln -s "../../../../../../../../..$VICTIM" "$ROOT/race/link"
    (
        cd "$ROOT/race"
        while [[ ! -e $BATS_TEST_TMPDIR/stop ]]; do
            mv -T dir keep 2>/dev/null && mv -T link dir 2>/dev/null
            mv -T dir link 2>/dev/null && mv -T keep dir 2>/dev/null
        done
    ) >/dev/null 2>&1 3>&- &
    local end=$((SECONDS + 3)) runs=0
    while ((SECONDS < end || runs < 3)); do
        run in_root -v "$BATS_TEST_TMPDIR/source:/race/dir/sub" --tmpfs /race/dir/new 'true'
        [[ $status -eq 0 || $status -eq 125 ]]
        runs=$((runs + 1))
    done
    touch "$BATS_TEST_TMPDIR/stop"
    wait
    assert_untouched
    refute grep -q "$VICTIM" /proc/self/mountinfo
}

# --- users and passwd ------------------------------------------------------------------------------------

@test "an image's passwd with a user named like a number does not make that number root" {
    hostile_root
    printf 'root:x:0:0:root:/root:/bin/sh\n1000x:x:0:0::/:/bin/sh\n' >"$ROOT/etc/passwd"
    run -0 in_root --user 1000 'id -u'
    [[ $output == 1000 ]]
}

@test "lines of passwd with ids that overflow, are negative or are no number are no users" {
    hostile_root
    printf 'a:x:4294967296:0::/:/bin/sh\nb:x:-1:0::/:/bin/sh\nc:x:0x0:0::/:/bin/sh\nd:x::0::/:/bin/sh\ne:x:4294967295:0::/:/bin/sh\nf:x:18446744073709551616:0::/:/bin/sh\ng:x: 0:0::/:/bin/sh\n' >"$ROOT/etc/passwd"
    for user in a b c d e f g; do
        run in_root --user "$user" 'id -u'
        ended 125
        one_sentence "$user"
    done
}

@test "a huge passwd, one without newlines and one with NUL bytes are read or refused, in bounded memory" {
    hostile_root
    yes 'filler:x:12345:12345:some text to make it long:/nowhere:/bin/false' | head -c 8000000 >"$ROOT/etc/passwd"
    printf '\nlast:x:77:88::/:/bin/sh\n' >>"$ROOT/etc/passwd"
    run -0 in_root --user last 'id -u'
    [[ $output == 77 ]]
    head -c 8000000 /dev/zero | tr '\0' x >"$ROOT/etc/passwd"
    run in_root --user last 'id -u'
    ended 125
    head -c 1000 /dev/zero >"$ROOT/etc/passwd"
    run in_root --user last 'id -u'
    ended 125
    truncate -s 100G "$ROOT/etc/passwd"
    run in_root --user last 'id -u'
    ended 125
    has passwd
    rm "$ROOT/etc/passwd"
    mkfifo "$ROOT/etc/passwd"
    run in_root --user last 'id -u'
    ended 125
    rm "$ROOT/etc/passwd"
    mkdir "$ROOT/etc/passwd"
    run in_root --user last 'id -u'
    ended 125
}

@test "control characters in passwd get neither into the environment nor to the terminal" {
    hostile_root
    printf 'root:x:0:0:root:/root\tLD_PRELOAD=x\033[31m:/bin/sh\n' >"$ROOT/etc/passwd"
    run -0 in_root 'env | tr "\033" E'
    lacks LD_PRELOAD
    has HOME=/
    run ctr run --rm --rootfs --user $'a\nb' "$ROOT" true
    ended 125
    [[ ${#lines[@]} -eq 1 ]]
}

# --- what an image says is no instruction ----------------------------------------------------------------


@test "labels that look like ctr's own settings change nothing" {
    run -0 in_container --label run.ctr.user=0 --label run.ctr.isolation=vm --label run.ctr.seccomp=unconfined --user 1000 'id -u; grep -E "^Seccomp:" /proc/self/status'
    [[ ${lines[0]} == 1000 ]]
    has "Seccomp:	2"
}

@test "annotations of ctr's own name space are refused from the command line" {
    for name in run.ctr.user run.ctr.seccomp run.ctr.isolation run.ctr.anything; do
        run ctr run --rm --annotation "$name=x" busybox true
        ended 125
        one_sentence "$name"
    done
}

@test "an annotation in a bundle's config is no instruction: the process object counts" {
    bundle '.annotations = {"run.ctr.user": "root", "run.ctr.seccomp": "default"} | .process.user = {"uid": 1000, "gid": 1000} | .process.args = ["id", "-u"]'
    run -0 oci run -b "$BUNDLE" "$(new_id)" </dev/null
    [[ $output == 1000 ]]
}

@test "labels and variables with control characters stay data" {
    local value=$'a\nb\033[31mc\td"e\\'
    ctr run -d --name odd --label "odd=$value" --env "ODD=$value" busybox sleep 1000 </dev/null
    ctr inspect odd >"$BATS_TEST_TMPDIR/inspect"
    [[ $(jq -r '.[0].Config.Labels.odd' "$BATS_TEST_TMPDIR/inspect") == "$value" ]]
    refute grep -q $'\033' "$BATS_TEST_TMPDIR/inspect"
    run -0 ctr exec odd sh -c 'printf %s "$ODD"' </dev/null
    [[ $output == "$value" ]]
    ctr ps -a >"$BATS_TEST_TMPDIR/ps"
    refute grep -q $'\033' "$BATS_TEST_TMPDIR/ps"
}

@test "a command with control characters does not reach the terminal of ps or of an error" {
    ctr run -d --name odd busybox sh -c $'sleep 1000 #\033[31m\nx' </dev/null
    ctr ps >"$BATS_TEST_TMPDIR/ps"
    refute grep -q $'\033' "$BATS_TEST_TMPDIR/ps"
    [[ $(wc -l <"$BATS_TEST_TMPDIR/ps") -eq 2 ]]
    run ctr run --rm busybox $'\033[31mred'
    ended 127
    lacks $'\033'
}

@test "names and host names with control characters or paths are refused" {
    for name in $'a\nb' a/b .. ../x '' $'\033' "a b"; do
        run ctr run --rm --name "$name" busybox true
        ended 125
        [[ ${#lines[@]} -eq 1 ]]
        lacks $'\033'
    done
    for name in $'a\nb' a/b '' "a b" "$(printf 'x%.0s' {1..65})"; do
        run ctr run --rm --hostname "$name" busybox true
        ended 125
        [[ $output == "ctr: "* ]]
    done
}

@test "--add-host cannot inject lines into /etc/hosts" {
    run ctr run --rm --add-host $'a:1.2.3.4\n6.6.6.6 evil' busybox cat /etc/hosts
    ended 125
    run ctr run --rm --add-host $'a\n6.6.6.6 evil:1.2.3.4' busybox cat /etc/hosts
    ended 125
    run -0 ctr run --rm --add-host good:192.0.2.7 busybox cat /etc/hosts
    has 192.0.2.7
}

# --- hooks -----------------------------------------------------------------------------------------------

@test "a hook gets its own environment and / as its directory, nothing of the image's or of the caller's" {
    bundle
    cat >"$BUNDLE/hook" <<SH
#!/bin/sh
/usr/bin/env >"$BUNDLE/env"
pwd >"$BUNDLE/pwd"
SH
    chmod 0755 "$BUNDLE/hook"
    config --arg hook "$BUNDLE/hook" '.process.env = ["LD_PRELOAD=/evil.so", "IMAGE=1", "PATH=/bin"] | .process.cwd = "/tmp"
        | .hooks = {createRuntime: [{path: $hook, env: ["ONLY=this"]}]}'
    CALLER=1 run -0 oci run -b "$BUNDLE" "$(new_id)" </dev/null
    grep -qx ONLY=this "$BUNDLE/env"
    refute grep -qE '^(LD_PRELOAD|IMAGE|CALLER|HOME)=' "$BUNDLE/env"
    [[ $(cat "$BUNDLE/pwd") == / ]]
}

# --- terminals -------------------------------------------------------------------------------------------

@test "a container has no controlling terminal of the caller's: TIOCSTI has nothing to write to" {
    needs script
    cat >"$BATS_TEST_TMPDIR/try" <<SH
$(printf '%q ' "$CTR" --root "$BATS_FILE_TMPDIR/store" --state "$BATS_FILE_TMPDIR/state") run --rm \$1 busybox sh -c 'cut -d" " -f7 /proc/self/stat; true </dev/tty && echo has-tty || echo no-tty'
SH
    run -0 timeout -s KILL "$limit" script -qec "sh $BATS_TEST_TMPDIR/try -i" /dev/null </dev/null
    [[ ${lines[0]} == 0* ]]
    has no-tty
    # With -t it is the container's own.
    run -0 timeout -s KILL "$limit" script -qec "sh $BATS_TEST_TMPDIR/try -t" /dev/null </dev/null
    has has-tty
}

@test "a bundle without a terminal gets a session of its own even on the caller's terminal" {
    needs script
    bundle '.process.args = ["sh", "-c", "cut -d\" \" -f6,7 /proc/self/stat; true </dev/tty && echo has-tty || echo no-tty"]'
    run -0 timeout -s KILL "$limit" script -qec "$(printf '%q ' "$CTR_OCI" --root "$BATS_TEST_TMPDIR/oci" run -b "$BUNDLE" "$(new_id)")" /dev/null </dev/null
    [[ ${lines[0]} == "1 0"* ]]
    has no-tty
}

@test "TIOCSTI into the terminal that is a bundle's stdin is refused" {
    needs script
    compile "$BATS_TEST_TMPDIR/sti" <<'C'
#include <stdio.h>
#include <sys/ioctl.h>
int main(void)
{
	printf("%s\n", ioctl(0, TIOCSTI, "x") == 0 ? "INJECTED" : "refused");
	return 0;
}
C
    bundle '.process.args = ["/sti"]'
    cp "$BATS_TEST_TMPDIR/sti" "$BUNDLE/rootfs/sti"
    run -0 timeout -s KILL "$limit" script -qec "$(printf '%q ' "$CTR_OCI" --root "$BATS_TEST_TMPDIR/oci" run -b "$BUNDLE" "$(new_id)")" /dev/null </dev/null
    has refused
    lacks INJECTED
}

# --- sockets, cgroups, state -----------------------------------------------------------------------------

@test "no abstract socket is open while a container runs" {
    ctr run -d --name quiet --network host busybox sleep 1000 </dev/null
    local monitor
    monitor=$(ctr inspect --format json quiet | jq .monitorPid)
    [[ $monitor -gt 1 ]]
    local inode
    for inode in $(readlink "/proc/$monitor"/fd/* | sed -n 's/^socket:\[\(.*\)\]$/\1/p'); do
        refute grep -E "^([^ ]+ ){1,8} *$inode +@" <(tr -s ' ' </proc/net/unix)
    done
}

@test "state and store directories are for their owner only" {
    ctr run -d --name private busybox sleep 1000 </dev/null
    bundle '.process.args = ["sleep", "1000"]'
    oci create -b "$BUNDLE" "$(new_id)" </dev/null >"$BATS_TEST_TMPDIR/out" 2>&1
    for dir in "$BATS_FILE_TMPDIR/state" "$BATS_FILE_TMPDIR/store" "$BATS_TEST_TMPDIR/oci" "$BATS_TEST_TMPDIR/oci/$(new_id)"; do
        [[ $(stat -c %a "$dir") == 700 ]]
    done
}

@test "a container's cgroup cannot be changed from inside, and no release_agent is in sight" {
    run -0 in_container 'find / -xdev -name release_agent 2>/dev/null | wc -l; find /sys/fs/cgroup -name release_agent | wc -l; echo 1 >/sys/fs/cgroup/cgroup.freeze || echo refused'
    [[ ${lines[0]} == 0 && ${lines[1]} == 0 ]]
    has refused
}

@test "the first process cannot be traced or read by its container before it is the program" {
    # Not dumpable until the exec: /proc/PID/fd of a ctr that is about to become the program is closed.
    ctr run -d --name watch busybox sh -c 'while :; do for p in /proc/[0-9]*; do case $(readlink $p/exe 2>&1) in *busybox) ;; *) ls -l $p/fd/ 2>/dev/null | grep -E " ([3-9]|[0-9][0-9]+) -> /(etc|work|usr|var)" ;; esac; done; done >/seen 2>/dev/null' </dev/null
    for _ in {1..20}; do
        ctr exec watch true </dev/null
    done
    run -0 ctr exec watch cat /seen </dev/null
    [[ -z $output ]]
}
