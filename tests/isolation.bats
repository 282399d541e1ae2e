# What a container of `ctr run` can see and do, and what it cannot. Runs natively and in the test machine.

load oci_helpers

setup_file() {
    ctr run --rm busybox true </dev/null
}

teardown() {
    remove_all
}

# --- namespaces ------------------------------------------------------------------------------------------

@test "a container has namespaces of its own: mount, pid, network, ipc, uts and cgroup" {
    for ns in mnt pid net ipc uts cgroup; do
        run -0 in_container "readlink /proc/self/ns/$ns"
        [[ $output == "$ns:["* ]]
        [[ $output != "$(readlink /proc/self/ns/$ns)" ]]
    done
}

@test "without --userns and --time-offset the user and time namespaces are the host's" {
    for ns in user time; do
        run -0 in_container "readlink /proc/self/ns/$ns"
        [[ $output == "$(readlink /proc/self/ns/$ns)" ]]
    done
}

@test "a container sees its own processes only" {
    run -0 in_container 'cd /proc; echo [0-9]*; echo me $$'
    [[ ${lines[0]} == 1 ]]
    [[ ${lines[1]} == "me 1" ]]
}

@test "--pid host shows the host's processes" {
    run -0 in_container --pid host '[ $$ -ne 1 ]; readlink /proc/self/ns/pid'
    [[ $output == "$(readlink /proc/self/ns/pid)" ]]
}

@test "a container's network is a loopback that is up, and nothing else" {
    run -0 in_container 'ls /sys/class/net; cat /sys/class/net/lo/flags; ip -4 -o addr; ip route'
    [[ ${lines[0]} == lo ]]
    (((${lines[1]} & 1) == 1))
    [[ ${lines[2]} == *"127.0.0.1/8"* ]]
    [[ ${#lines[@]} -eq 3 ]]
}

@test "loopback carries traffic" {
    run -0 in_container 'nc -l -p 8080 </dev/null >/tmp/got & until nc 127.0.0.1 8080 </etc/hostname 2>/dev/null; do :; done; wait; cmp /tmp/got /etc/hostname && echo same'
    has same
}

@test "two containers have different namespaces" {
    local a b
    local list='for ns in mnt pid net ipc uts cgroup; do readlink /proc/self/ns/$ns; done'
    ctr run -d --name other busybox sleep 1000 </dev/null
    b=$(ctr exec other sh -c "$list" </dev/null)
    a=$(in_container "$list")
    [[ $(wc -l <<<"$a") -eq 6 && $(wc -l <<<"$b") -eq 6 ]]
    [[ -z $(comm -12 <(sort <<<"$a") <(sort <<<"$b")) ]]
}

@test "a container with --network container:NAME shares that one's network and nothing else" {
    ctr run -d --name first busybox sleep 1000 </dev/null
    local net pid
    net=$(ctr exec first readlink /proc/self/ns/net </dev/null)
    pid=$(ctr exec first readlink /proc/self/ns/pid </dev/null)
    run -0 in_container --network container:first 'readlink /proc/self/ns/net; readlink /proc/self/ns/pid'
    [[ ${lines[0]} == "$net" && ${lines[1]} != "$pid" ]]
}

@test "the cgroup namespace shows the container's cgroup as /" {
    run -0 in_container 'grep ^0:: /proc/self/cgroup'
    [[ $output == 0::/ ]]
    run -0 in_container 'grep -c "/ctr" /proc/self/cgroup || true'
    [[ $output == 0 ]]
}

@test "the cgroup file system is read-only" {
    run in_container 'mkdir /sys/fs/cgroup/x; echo $$ >/sys/fs/cgroup/cgroup.procs'
    [[ $status -ne 0 ]]
    has "Read-only file system"
}

@test "--time-offset moves the container's boot" {
    local host
    host=$(cut -d. -f1 /proc/uptime)
    run -0 in_container --time-offset 1000000 'cut -d. -f1 /proc/uptime; readlink /proc/self/ns/time'
    ((lines[0] >= host + 1000000 && lines[0] < host + 1000000 + 3600))
    [[ ${lines[1]} != "$(readlink /proc/self/ns/time)" ]]
}

@test "a hostname set by --hostname is the container's and not the host's" {
    local host
    host=$(hostname)
    run -0 in_container --hostname inside.example 'hostname; cat /etc/hostname; grep -c inside.example /etc/hosts'
    [[ ${lines[0]} == inside.example && ${lines[1]} == inside.example ]]
    ((lines[2] >= 1))
    [[ $(hostname) == "$host" ]]
}

@test "a container cannot change its host name by default" {
    run in_container 'hostname evil'
    [[ $status -ne 0 ]]
    has "Operation not permitted"
}

# --- /proc and /sys --------------------------------------------------------------------------------------

@test "/proc/sys and its like are read-only" {
    for file in /proc/sys/kernel/hostname /proc/sys/vm/drop_caches /proc/sys/kernel/core_pattern; do
        run in_container "echo 1 >$file"
        [[ $status -ne 0 ]]
        has "Read-only file system"
    done
    run -0 in_container 'grep -E "^[^ ]+ /proc/(bus|fs|irq|sys|sysrq-trigger) " /proc/mounts'
    for line in "${lines[@]}"; do
        [[ $line == *" ro,"* ]]
    done
    ((${#lines[@]} >= 3))
}

@test "/proc/sysrq-trigger cannot be written" {
    [[ -e /proc/sysrq-trigger ]] || skip "this kernel has no sysrq"
    # h prints a help text to the kernel's log: harmless should it get through.
    run in_container 'echo h >/proc/sysrq-trigger'
    [[ $status -ne 0 ]]
}

@test "files of /proc that tell about the host are masked" {
    local shown=0
    for file in kcore keys timer_list interrupts sched_debug latency_stats timer_stats; do
        [[ -e /proc/$file ]] || continue
        run -0 in_container "stat -c '%t:%T %F' /proc/$file; cat /proc/$file | wc -c"
        [[ ${lines[0]} == "1:3 character special file" && ${lines[1]} == 0 ]]
        shown=$((shown + 1))
    done
    ((shown > 0))
}

@test "directories of /proc and /sys that tell about the host are empty and read-only" {
    local shown=0
    for dir in /proc/acpi /proc/scsi /proc/asound /sys/firmware /sys/devices/virtual/powercap; do
        [[ -d $dir ]] || continue
        run -0 in_container "ls -A $dir | wc -l; touch $dir/x 2>&1 | grep -c Read-only"
        [[ ${lines[0]} == 0 && ${lines[1]} == 1 ]]
        shown=$((shown + 1))
    done
    ((shown > 0))
}

@test "/sys is read-only and shows the container's network" {
    run -0 in_container 'grep " /sys sysfs" /proc/mounts; ls /sys/class/net'
    [[ ${lines[0]} == *" ro,"* && ${lines[1]} == lo ]]
    run in_container 'echo 1 >/sys/class/net/lo/mtu'
    [[ $status -ne 0 ]]
}

@test "--security-opt systempaths=unconfined shows what is masked" {
    run -0 in_container --security-opt systempaths=unconfined 'grep -cE " /proc/(sys|bus|irq) " /proc/mounts || true; stat -c %F /proc/timer_list'
    [[ ${lines[0]} == 0 && ${lines[1]} == regular* ]]
}

# --- /dev ------------------------------------------------------------------------------------------------

@test "/dev has the standard nodes and nothing else" {
    run -0 in_container 'ls -A /dev | sort'
    [[ "${lines[*]}" == "fd full mqueue null ptmx pts random shm stderr stdin stdout tty urandom zero" ]]
    run -0 in_container 'stat -c "%n %a %t:%T" /dev/null /dev/zero /dev/full /dev/random /dev/urandom /dev/tty'
    [[ "${lines[*]}" == "/dev/null 666 1:3 /dev/zero 666 1:5 /dev/full 666 1:7 /dev/random 666 1:8 /dev/urandom 666 1:9 /dev/tty 666 5:0" ]]
}

@test "/dev's nodes work" {
    run -0 in_container 'head -c 4 /dev/zero | od -An -tx1; head -c 8 /dev/urandom | wc -c; echo lost >/dev/null; echo x >/dev/full || echo full; echo via-stdout >/dev/stdout'
    [[ ${lines[0]} == *"00 00 00 00" && ${lines[1]} == 8 ]]
    has "No space left"
    has via-stdout
}

@test "/dev is a tmpfs of the container's own, without device files from the host" {
    run -0 in_container 'grep " /dev " /proc/mounts; echo mine >/dev/mine; cat /dev/mine'
    [[ ${lines[0]} == *" /dev tmpfs "*nosuid* && ${lines[1]} == mine ]]
    [[ ! -e /dev/mine ]]
}

@test "/dev/pts is an instance of its own" {
    run -0 in_container 'ls -A /dev/pts; grep " /dev/pts " /proc/mounts; readlink /dev/ptmx'
    [[ ${lines[0]} == ptmx && ${lines[1]} == *" /dev/pts devpts "* && ${lines[2]} == pts/ptmx ]]
}

@test "a terminal is the container's pts/0" {
    run -0 ctr run --rm -t busybox sh -c 'tty; stat -c %t:%T /dev/console; ls /dev/pts'
    has /dev/pts/0
    has 88:0
}

@test "/dev/shm and /dev/mqueue are there, and --shm-size counts" {
    run -0 in_container --shm-size 1m 'grep -E " /dev/(shm|mqueue) " /proc/mounts; stat -c %a /dev/shm; dd if=/dev/zero of=/dev/shm/f bs=1k count=2000 2>&1; true'
    has " /dev/shm tmpfs"
    has " /dev/mqueue mqueue"
    has "size=1024k"
    has 1777
    has "No space left"
}

@test "a disk's node can be made but not opened" {
    local numbers
    numbers=$(lsblk -dno MAJ:MIN 2>/dev/null | head -n 1 | tr -d ' ') || true
    run -0 in_container "mknod /tmp/disk b ${numbers/:/ } && stat -c %F /tmp/disk; head -c 1 /tmp/disk 2>&1; true"
    has "block special file"
    has "Operation not permitted"
}

@test "a character device beyond the standard ones cannot be opened" {
    run -0 in_container --cap-add SYSLOG "mknod /tmp/kmsg c 1 11 && head -c 1 /tmp/kmsg 2>&1; true"
    has "Operation not permitted"
}

@test "--device gives one device of the host" {
    [[ -c /dev/kmsg ]] || skip "no /dev/kmsg"
    # SYSLOG: where the kernel restricts its log, reading the device needs that too.
    run -0 in_container --cap-add SYSLOG --device /dev/kmsg:/dev/klog:r 'stat -c "%t:%T" /dev/klog; dd if=/dev/klog bs=8k count=1 2>/dev/null | wc -c; echo x >/dev/klog || echo refused'
    [[ ${lines[0]} == 1:b ]]
    ((lines[1] > 0))
    has refused
}

@test "--device-cgroup-rule allows a device" {
    run -0 in_container --cap-add SYSLOG --device-cgroup-rule 'c 1:11 rmw' 'mknod /tmp/kmsg c 1 11 && dd if=/tmp/kmsg bs=8k count=1 2>/dev/null | wc -c'
    ((output > 0))
}

# --- privileges ------------------------------------------------------------------------------------------

# Names of a capability mask, sorted, without cap_.
cap_names() {
    capsh --decode="$1" | sed 's/.*=//' | tr ',' '\n' | sed 's/^cap_//' | sort
}

default_caps="audit_write chown dac_override fowner fsetid kill mknod net_bind_service net_raw setfcap setgid setpcap setuid sys_chroot"

@test "root in a container has the fourteen default capabilities, and none to inherit" {
    run -0 in_container 'grep ^Cap /proc/self/status'
    local set
    for set in CapPrm CapEff CapBnd; do
        has "$set:	00000000a80425fb"
    done
    has "CapInh:	0000000000000000"
    has "CapAmb:	0000000000000000"
    needs capsh
    [[ $(cap_names a80425fb | xargs) == "$default_caps" ]]
}

@test "another user in a container has no capabilities" {
    run -0 in_container --user 1000 'grep ^Cap /proc/self/status'
    for set in CapInh CapPrm CapEff CapAmb; do
        has "$set:	0000000000000000"
    done
}

@test "--cap-add and --cap-drop change the set; names with and without CAP_, in any case" {
    run -0 in_container --cap-add net_admin --cap-drop CAP_CHOWN 'grep ^Cap /proc/self/status'
    has "CapEff:	00000000a80435fa"
    has "CapBnd:	00000000a80435fa"
    run -0 in_container --cap-drop ALL --cap-add CAP_KILL 'grep ^Cap /proc/self/status'
    has "CapEff:	0000000000000020"
    run -0 in_container --cap-drop all 'grep ^Cap /proc/self/status; chown 1 /etc/passwd || echo refused'
    has "CapBnd:	0000000000000000"
    has refused
}

@test "--cap-add works, not only shows: NET_ADMIN sets an address" {
    run -0 in_container --cap-add NET_ADMIN 'ip addr add 192.0.2.1/32 dev lo && ip -4 -o addr'
    has 192.0.2.1
    run in_container 'ip addr add 192.0.2.1/32 dev lo'
    [[ $status -ne 0 ]]
}

@test "an unknown capability is refused by name" {
    run ctr run --rm --cap-add NET_ADMINN busybox true
    ended 125
    one_sentence NET_ADMINN
}

@test "no_new_privs is set, and a seccomp filter is loaded" {
    run -0 in_container 'grep -E "^(NoNewPrivs|Seccomp):" /proc/self/status'
    has "NoNewPrivs:	1"
    has "Seccomp:	2"
}

@test "a set-uid program does not raise privileges; with no-new-privileges=false it does" {
    compile "$BATS_TEST_TMPDIR/euid" <<'C'
#include <stdio.h>
#include <unistd.h>
int main(void)
{
	printf("%d\n", (int)geteuid());
	return 0;
}
C
    local script='cp /euid /tmp/euid; chmod 4755 /tmp/euid; chmod 1777 /tmp; exec su -s /bin/sh nobody -c /tmp/euid'
    run -0 in_container -v "$BATS_TEST_TMPDIR/euid:/euid:ro" "$script"
    [[ $output == 65534 ]]
    run -0 in_container -v "$BATS_TEST_TMPDIR/euid:/euid:ro" --security-opt no-new-privileges=false "$script"
    [[ $output == 0 ]]
}

@test "mount and unshare are refused" {
    run -0 in_container 'mount -t tmpfs none /tmp || echo refused-mount; unshare -m true || echo refused-mnt; unshare -U true || echo refused-user; umount /proc || echo refused-umount'
    has refused-mount
    has refused-mnt
    has refused-user
    has refused-umount
}

@test "system calls: clone3 answers ENOSYS, keyctl and a new user namespace EPERM" {
    compile "$BATS_TEST_TMPDIR/calls" <<'C'
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
int main(void)
{
	char args[64] = {0};
	printf("clone3 %s\n", syscall(435, args, sizeof(args)) < 0 ? strerror(errno) : "worked");
	printf("unshare %s\n", unshare(0x10000000) < 0 ? strerror(errno) : "worked");
	printf("keyctl %s\n", syscall(SYS_keyctl, 0, -3, 0) < 0 ? strerror(errno) : "worked");
	printf("bpf %s\n", syscall(SYS_bpf, 0, 0, 0) < 0 ? strerror(errno) : "worked");
	printf("io_uring_setup %s\n", syscall(425, 1, args) < 0 ? strerror(errno) : "worked");
	printf("newest %s\n", syscall(600, 0) < 0 ? strerror(errno) : "worked");
	return 0;
}
C
    run -0 ctr run --rm -v "$BATS_TEST_TMPDIR/calls:/calls:ro" busybox /calls
    has "clone3 Function not implemented"
    has "unshare Operation not permitted"
    has "keyctl Operation not permitted"
    has "bpf Operation not permitted"
    has "io_uring_setup Operation not permitted"
    has "newest Function not implemented"
}

@test "--security-opt seccomp=unconfined loads no filter" {
    run -0 in_container --security-opt seccomp=unconfined 'grep ^Seccomp: /proc/self/status; unshare -U true && echo allowed'
    has "Seccomp:	0"
    has allowed
}

@test "--security-opt seccomp=FILE loads that profile" {
    cat >"$BATS_TEST_TMPDIR/profile.json" <<'J'
{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 122}]}
J
    run in_container --security-opt "seccomp=$BATS_TEST_TMPDIR/profile.json" 'mkdir /tmp/x'
    ended 1
    has "uota exceeded"
}

@test "a bad seccomp profile is refused by its name" {
    echo '{"defaultAction": "SCMP_ACT_NOTHING"}' >"$BATS_TEST_TMPDIR/bad.json"
    run ctr run --rm --security-opt "seccomp=$BATS_TEST_TMPDIR/bad.json" busybox true
    ended 125
    has SCMP_ACT_NOTHING
    run ctr run --rm --security-opt "seccomp=$BATS_TEST_TMPDIR/missing.json" busybox true
    ended 125
    one_sentence missing.json
}

@test "--security-opt knows no other words, and takes label=disable" {
    run ctr run --rm --security-opt nonsense=1 busybox true
    ended 125
    one_sentence nonsense
    run -0 in_container --security-opt label=disable 'echo fine'
    [[ $output == fine ]]
}

@test "--security-opt apparmor=PROFILE is never dropped in silence" {
    [[ ! -d /sys/kernel/security/apparmor ]] || skip "this kernel runs AppArmor"
    run ctr run --rm --security-opt apparmor=some-profile busybox true
    ended 125
    one_sentence some-profile AppArmor
}

@test "--privileged has all capabilities and devices, no filter, and nothing masked" {
    run -0 in_container --privileged 'grep -E "^(CapEff|CapBnd|CapInh|NoNewPrivs|Seccomp):" /proc/self/status; mount -t tmpfs none /tmp && echo mounted; grep -E " (/sys|/proc) " /proc/mounts; ls /dev | wc -l'
    local all
    all=$(sed -n 's/^CapBnd:\t//p' /proc/self/status)
    has "CapInh:	0000000000000000"
    has "NoNewPrivs:	0"
    has "Seccomp:	0"
    has mounted
    lacks " ro,"
    ((0x$(sed -n 's/^CapEff:\t//p' <<<"$output") >= 0xa80425fb))
    ((${lines[-1]} > 14))
}

@test "--privileged is no way around namespaces: processes and mounts stay the container's" {
    run -0 in_container --privileged 'cd /proc; echo [0-9]*; mount -t tmpfs none /mnt 2>/dev/null || mount -t tmpfs none /tmp'
    [[ ${lines[0]} == 1 ]]
    refute grep -q "$BATS_FILE_TMPDIR/store/containers" /proc/mounts
}

# --- the process -----------------------------------------------------------------------------------------

@test "no descriptor of the host's is open in a container" {
    ctr run -d --name fds busybox sleep 1000 </dev/null
    run -0 ctr exec fds sh -c 'for f in /proc/1/fd/*; do echo ${f##*/} $(readlink $f); done' </dev/null
    [[ $(cut -d' ' -f1 <<<"$output" | sort -n | xargs) == "0 1 2" ]]
    refute grep -vE '^[012] (pipe:.*|/dev/null|socket:.*)$' <<<"$output"
}

@test "a descriptor that the caller had open does not get into the container, nor by exec" {
    exec 7</etc 8</
    ctr run -d --name fds busybox sleep 1000 </dev/null
    # The fourth is the directory that ls reads.
    run -0 ctr exec fds ls /proc/self/fd </dev/null
    [[ "${lines[*]}" == "0 1 2 3" ]]
    run -0 ctr exec fds ls /proc/1/fd </dev/null
    [[ "${lines[*]}" == "0 1 2" ]]
    exec 7<&- 8<&-
}

@test "--oom-score-adj is the process's; one out of range is refused" {
    run -0 in_container --oom-score-adj 321 'cat /proc/self/oom_score_adj'
    [[ $output == 321 ]]
    run ctr run --rm --oom-score-adj 1001 busybox true
    ended 125
    has 1000
}

@test "--ulimit sets the soft and hard limit" {
    run -0 in_container --ulimit nofile=100:200 --ulimit core=0 'ulimit -n; ulimit -Hn; ulimit -c'
    [[ "${lines[*]}" == "100 200 0" ]]
    for bad in nofile=5:4 nosuch=1 nofile=x nofile=1:2:3 nofile= nofile; do
        run ctr run --rm --ulimit "$bad" busybox true
        ended 125
        one_sentence "$bad"
    done
}

@test "--umask is the file mode mask" {
    run -0 in_container --umask 0077 'umask; touch /tmp/f; stat -c %a /tmp/f'
    [[ "${lines[*]}" == "0077 600" ]]
    run -0 in_container umask
    [[ $output == 0022 ]]
}

@test "-u takes a number, a name, and a group to each" {
    while read -r user ids; do
        run -0 in_container --user "$user" 'echo $(id -u) $(id -g)'
        [[ $output == "$ids" ]]
    done <<'LIST'
1 1 1
1:2 1 2
0 0 0
0:0 0 0
4294967294 4294967294 0
4294967294:4294967294 4294967294 4294967294
root 0 0
nobody 65534 65534
root:wheel 0 10
1234:wheel 1234 10
LIST
}

@test "-u refuses what could be taken for root: never user 0 by mistake" {
    for user in 1: :2 : 1abc 4294967295 4294967296 18446744073709551616 -1 0x0 +0 " 0" "0 " 1:2:3 0:-1 0:0x0 0:4294967296 nosuch root:nosuch "1
2"; do
        run ctr run --rm --user "$user" busybox id -u
        ended 125
        [[ ${lines[0]} == "ctr: "* ]]
        [[ ${#lines[@]} -eq 1 ]]
    done
}

@test "an empty -u is the image's user" {
    run -0 in_container --user '' 'id -u'
    [[ $output == 0 ]]
}

@test "groups of the image's /etc/group come with the user, and --group-add adds one" {
    run -0 in_container 'id -G'
    [[ $output == "0 10" ]]
    run -0 in_container --group-add 4321 'id -G'
    has 4321
    run -0 in_container --user 1234 'id -G'
    [[ $output == 0 || $output == 1234 ]]
}

# --- user namespaces -------------------------------------------------------------------------------------

@test "--userns auto: root inside is an unprivileged user of the host" {
    ctr run -d --name mapped --userns auto busybox sleep 1000 </dev/null
    local pid
    pid=$(ctr inspect --format '{{.State.Pid}}' mapped)
    run -0 sed -n 's/^Uid:\t\([0-9]*\).*/\1/p' "/proc/$pid/status"
    ((output >= 65536))
    run -0 ctr exec mapped id -u </dev/null
    [[ $output == 0 ]]
    [[ $(readlink "/proc/$pid/ns/user") != "$(readlink /proc/self/ns/user)" ]]
}

@test "--userns auto: the image's files are root's inside, and the writable layer works" {
    run -0 in_container --userns auto 'stat -c "%u:%g" / /bin/busybox /etc/passwd; echo new >/new; stat -c "%u:%g" /new; rm /etc/profile; chown 5:6 /new; stat -c "%u:%g" /new; cat /new'
    [[ "${lines[*]}" == "0:0 0:0 0:0 0:0 5:6 new" ]]
}

@test "--userns auto: two containers get ranges that do not overlap" {
    ctr run -d --name one --userns auto busybox sleep 1000 </dev/null
    ctr run -d --name two --userns auto busybox sleep 1000 </dev/null
    local a b
    a=$(ctr exec one awk '{print $2}' /proc/self/uid_map </dev/null)
    b=$(ctr exec two awk '{print $2}' /proc/self/uid_map </dev/null)
    ((a - b >= 65536 || b - a >= 65536))
}

@test "--userns auto: capabilities do not reach the host" {
    run -0 in_container --userns auto --privileged 'echo 1 >/proc/sys/vm/drop_caches || echo refused; mknod /tmp/x b 8 0 || echo no-node'
    has refused
    has no-node
}

@test "--uidmap makes the map that was asked for" {
    run -0 in_container --uidmap 0:100000:1000 'cat /proc/self/uid_map | xargs; cat /proc/self/gid_map | xargs'
    [[ "${lines[0]}" == "0 100000 1000" && "${lines[1]}" == "0 100000 1000" ]]
    for bad in 0:1 0:1:0 a:b:c 0:1:2x ''; do
        run ctr run --rm --uidmap "$bad" busybox true
        ended 125
        one_sentence uidmap
    done
}

# --- sysctls ---------------------------------------------------------------------------------------------

@test "--sysctl sets what belongs to the container's namespaces" {
    run -0 in_container --sysctl net.ipv4.ip_forward=1 --sysctl kernel.shmmax=123456 --sysctl fs.mqueue.msg_max=20 'cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/shmmax /proc/sys/fs/mqueue/msg_max'
    [[ "${lines[*]}" == "1 123456 20" ]]
}

@test "--sysctl refuses what would change the host, by name" {
    local before
    before=$(cat /proc/sys/kernel/panic)
    for name in kernel.panic vm.swappiness kernel.core_pattern fs.file-max net/../kernel/panic kernel/panic net.ipv4/../../kernel/panic; do
        run ctr run --rm --sysctl "$name=7" busybox true
        ended 125
        one_sentence sysctl
    done
    [[ $(cat /proc/sys/kernel/panic) == "$before" ]]
}

@test "--sysctl of a namespace that is the host's is refused" {
    run ctr run --rm --network host --sysctl net.ipv4.ip_forward=1 busybox true
    ended 125
    one_sentence net.ipv4.ip_forward "network namespace"
    run ctr run --rm --ipc host --sysctl kernel.shmmax=1 busybox true
    ended 125
    one_sentence kernel.shmmax "ipc namespace"
}

# --- the root filesystem ---------------------------------------------------------------------------------

@test "what a container writes is its own: the next one has the image as it was" {
    run -0 in_container 'echo x >/mark; rm /etc/profile; ls /mark'
    run -0 in_container 'ls /mark 2>&1 || echo gone; ls /etc/profile'
    has gone
    has /etc/profile
}

@test "--read-only: nothing but tmpfs can be written" {
    run -0 in_container --read-only --tmpfs /scratch 'touch /x 2>&1; touch /etc/x 2>&1; touch /scratch/x && echo scratch; touch /dev/shm/x && echo shm'
    has "Read-only file system"
    has scratch
    has shm
}

@test "the host's root cannot be reached: .. at / is /, and no mount shows it" {
    run -0 in_container 'cd /../../..; pwd; ls -d /work /home/../work 2>&1 || echo nothing; cut -d" " -f2 /proc/mounts | sort'
    [[ ${lines[0]} == / ]]
    has nothing
    lacks oldroot
}
