#!/usr/bin/env bats
# A container's files: its root filesystem, volumes, mounts and what becomes of them.

load helpers

setup() {
	work=$BATS_TEST_TMPDIR
	mkdir "$work/vol"
	echo host >"$work/vol/file"
}

teardown() {
	remove_containers
	while read -r mount; do umount -l "$mount"; done < <(grep -F " $BATS_TEST_TMPDIR" /proc/mounts | cut -d' ' -f2 | tac)
}

@test "each container has a root filesystem of its own" {
	ctr run --name one busybox sh -c 'echo one >/etc/mine'
	run ctr run --rm busybox cat /etc/mine
	equal 1 "$status"
	ctr start one
	equal one "$(ctr run --rm -v "$STORE/containers/$(field one .Id)/upper:/u" busybox cat /u/etc/mine)"
}

@test "what it changes stays over a restart" {
	ctr create --name job busybox sh -c '[ -e /kept ] && cat /kept; echo kept >/kept'
	equal '' "$(ctr start -a job)"
	equal kept "$(ctr start -a job)"
}

@test "what it removes stays removed, the image keeps it" {
	ctr create --name job busybox sh -c 'ls /etc/group; rm -r /etc/group /root; mkdir /root; ls -A /root'
	equal /etc/group "$(ctr start -a job)"
	run ctr start -a job
	[[ $output != /etc/group ]]
	equal /etc/group "$(ctr run --rm busybox ls /etc/group)"
}

@test "-v mounts a directory, both ways" {
	equal host "$(ctr run --rm -v "$work/vol:/v" busybox cat /v/file)"
	ctr run --rm -v "$work/vol:/v" busybox sh -c 'echo container >/v/new'
	equal container "$(cat "$work/vol/new")"
}

@test "-v mounts a single file" {
	equal host "$(ctr run --rm -v "$work/vol/file:/etc/new/place" busybox cat /etc/new/place)"
	equal host "$(ctr run --rm -v "$work/vol/file:/etc/passwd" -u 0:0 busybox cat /etc/passwd)"
}

@test ":ro is read-only, for root and with every capability that may be had" {
	for options in '' '--cap-add SYS_ADMIN' '--privileged'; do
		run -1 ctr run --rm $options -v "$work/vol:/v:ro" busybox touch /v/new
		matches 'Read-only file system' "$output"
		run -1 ctr run --rm $options -v "$work/vol:/v:ro" busybox sh -c 'echo x >/v/file'
		matches 'Read-only file system' "$output"
	done
	equal host "$(cat "$work/vol/file")"
	equal file "$(ls "$work/vol")"
}

@test ":ro holds for what is mounted below, too" {
	mkdir "$work/vol/sub"
	mount -t tmpfs none "$work/vol/sub"
	mkdir "$work/vol/sub/deep"
	mount -t tmpfs none "$work/vol/sub/deep"
	run ctr run --rm -v "$work/vol:/v:ro" busybox sh -c 'touch /v/sub/x; touch /v/sub/deep/x; grep -c " /v.* ro," /proc/mounts'
	equal 2 "$(grep -c 'Read-only file system' <<<"$output")"
	grep -qx 3 <<<"$output" # the two streams may come in any order
	equal deep "$(ls "$work/vol/sub")"
	# Without ro they are there and writable.
	ctr run --rm -v "$work/vol:/v" busybox touch /v/sub/deep/x
	[ -e "$work/vol/sub/deep/x" ]
}

@test "a volume's mounts and unmounts do not reach the host" {
	ctr run --rm --cap-add SYS_ADMIN --security-opt seccomp=unconfined -v "$work/vol:/v" busybox sh -c \
		'mkdir -p /v/sub; mount -t tmpfs none /v/sub && touch /v/sub/inside'
	[ -d "$work/vol/sub" ]
	[ ! -e "$work/vol/sub/inside" ]
	run -1 grep -F "$work/vol" /proc/self/mountinfo
}

@test "a symlink in the container does not lead a volume out of it" {
	ctr create --name job -v "$work/vol:/link/target" busybox cat /link/target/file
	upper=$STORE/containers/$(field job .Id)/upper
	mkdir "$work/outside"
	ln -s "$work/outside" "$upper/link"
	run ctr start -a job
	equal '' "$(ls -A "$work/outside")"
	refuses 125 'no "\.\."' ctr run --rm -v "$work/vol:/../../../../v" busybox cat /v/file
}

@test "--mount says the same in words" {
	equal host "$(ctr run --rm --mount "type=bind,source=$work/vol,destination=/v" busybox cat /v/file)"
	equal host "$(ctr run --rm --mount "type=bind,src=$work/vol,target=/v" busybox cat /v/file)"
	run -1 ctr run --rm --mount "type=bind,source=$work/vol,destination=/v,readonly" busybox touch /v/x
	matches 'Read-only' "$output"
	matches ' /t tmpfs .*size=1024k' "$(ctr run --rm --mount type=tmpfs,destination=/t,tmpfs-size=1m busybox grep ' /t ' /proc/mounts)"
}

@test "--tmpfs gives an empty directory that goes with the container" {
	ctr create --name job --tmpfs /t:size=1m,mode=1700 busybox sh -c 'ls -A /t; stat -c %a /t; touch /t/x; grep " /t " /proc/mounts'
	run ctr start -a job
	equal 1700 "${lines[0]}"
	matches ' /t tmpfs .*nosuid,nodev.*size=1024k' "${lines[1]}"
	run ctr start -a job
	equal 1700 "${lines[0]}"
	run -1 ctr run --rm --tmpfs /t:size=1m busybox dd if=/dev/zero of=/t/x bs=1M count=2
	matches 'No space left' "$output"
}

@test "--read-only protects the root filesystem, --tmpfs stays writable" {
	for dir in / /etc /root /var /tmp; do
		run -1 ctr run --rm --read-only busybox touch $dir/x
		matches 'Read-only' "$output"
	done
	ctr run --rm --read-only --tmpfs /tmp busybox touch /tmp/x
	ctr run --rm --read-only -v "$work/vol:/v" busybox touch /v/x
	[ -e "$work/vol/x" ]
	ctr run --rm --read-only busybox sh -c 'echo x >/dev/null; touch /dev/shm/x'
}

@test "--shm-size sizes /dev/shm" {
	matches 'size=1024k' "$(ctr run --rm --shm-size 1m busybox grep ' /dev/shm ' /proc/mounts)"
	matches 'size=65536k' "$(ctr run --rm busybox grep ' /dev/shm ' /proc/mounts)"
}

@test "--rootfs runs a directory as it is" {
	mkdir "$work/root"
	tar -C "$work/root" -xf "$(dirname "$CTR")/busybox.tar"
	equal hello "$(ctr run --rm --rootfs "$work/root" echo hello)"
	ctr run --name job --rootfs "$work/root" sh -c 'echo written >/here'
	equal written "$(cat "$work/root/here")"
	run -1 ctr run --rm --read-only --rootfs "$work/root" touch /there
	[ ! -e "$work/root/there" ]
	# Removing the container leaves the directory alone.
	ctr rm job
	equal written "$(cat "$work/root/here")"
}

@test "export gives the whole tree, with what was changed" {
	ctr run --name job busybox sh -c 'echo new >/new; rm /etc/group; ln /new /hard; chown 5:6 /new; chmod 4711 /new; mkfifo /fifo'
	ctr export job >"$work/all.tar"
	list=$(tar -tvf "$work/all.tar")
	matches '(\./)?bin/busybox' "$list"
	[[ $list != *etc/group* ]]
	[[ $list != *.wh.* ]]
	mkdir "$work/x"
	tar -C "$work/x" --numeric-owner -xpf "$work/all.tar"
	equal '5:6 4711 2' "$(stat -c '%u:%g %a %h' "$work/x/new")"
	[ "$work/x/new" -ef "$work/x/hard" ]
	[ -p "$work/x/fifo" ]
}

@test "export of a running container, to a file" {
	ctr run -d --name web busybox sh -c 'echo one >/one; echo ready; sleep 1000'
	eventually log_has web ready
	ctr export -o "$work/all.tar" web
	equal one "$(tar -xOf "$work/all.tar" --wildcards --no-wildcards-match-slash '*one' './one')"
	container_is web running
}

@test "what was exported can be imported and run" {
	ctr run --name job busybox sh -c 'echo kept >/kept'
	ctr export job | ctr_stdin import -q - again >/dev/null
	equal kept "$(ctr run --rm again cat /kept)"
	ctr rmi again
}

@test "export does not write over a file when it fails" {
	echo mine >"$work/out.tar"
	refuses 125 'no container nosuch' ctr export -o "$work/out.tar" nosuch
	equal mine "$(cat "$work/out.tar")"
}
