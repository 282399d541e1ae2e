#!/usr/bin/env bats
# What ctr cannot do it refuses: in one sentence that names the thing, with status 125, leaving nothing.

load helpers

setup() {
	work=$BATS_TEST_TMPDIR
}

teardown() {
	remove_containers
	[ -z "${small:-}" ] || umount -l "$small"
}

# Mounts a filesystem of 4 MiB on $small.
small_disk() {
	small=$work/small
	mkdir "$small"
	mount -t tmpfs -o size=4m,mode=755 none "$small"
}

ctr_at() { # ROOT ARG...: ctr with another store
	local root=$1
	shift
	timeout -s KILL 30 "$CTR" --root "$root" --state "$STATE" "$@" </dev/null 3>&- 4>&-
}

as_nobody() {
	timeout -s KILL 30 setpriv --reuid 65534 --regid 65534 --clear-groups "$CTR" "$@" </dev/null 3>&- 4>&-
}

@test "an unknown option is named, with the nearest one" {
	refuses 125 'unknown option --detatch .*did you mean --detach\?.*ctr run --help' ctr run --detatch busybox true
	refuses 125 'unknown option --completelyother' ctr run --completelyother busybox true
	refuses 125 'unknown option -Z' ctr run -Z busybox true
	refuses 125 'unknown option --rot.*did you mean --root' ctr --rot /x ps
}

@test "an unknown verb is named, with the nearest one" {
	refuses 125 'unknown command `ctr rnu` .did you mean `ctr run`\?.*ctr --help' ctr rnu busybox
	refuses 125 'unknown command `ctr completelyother`; see' ctr completelyother
	refuses 125 'unknown command `ctr system chekc`|did you mean' ctr system chekc
}

@test "an option without its value is named" {
	refuses 125 '--name' ctr run --name
	refuses 125 '-v|--volume' ctr run -v
}

@test "a missing argument is named" {
	refuses 125 'needs an IMAGE' ctr run
	for verb in start stop kill rm wait pause unpause rmi inspect; do
		refuses 125 "\`ctr $verb\` needs" ctr $verb
	done
	refuses 125 'NAME' ctr import "$work/x.tar"
}

@test "an argument too many is refused" {
	refuses 125 'extra|too many|takes|argument' ctr attach one two
	refuses 125 'extra|too many|takes|argument' ctr ps one
}

@test "a missing image is named, with what to do" {
	refuses 125 "no image 'nosuch'.*ctr images.*ctr import" ctr run nosuch true
	refuses 125 "no image 'busybox:nosuch'" ctr run busybox:nosuch true
	refuses 125 "no image 'nosuch'" ctr create nosuch
	refuses 125 "no image 'nosuch'" ctr rmi nosuch
	refuses 125 "no image 'nosuch'" ctr tag nosuch new
}

@test "a bad image name is refused" {
	for name in 'UPPER' '../../etc' 'busybox:' 'busy box' 'busybox@sha256:xyz' '/abs' "$(printf 'x%.0s' $(seq 300))"; do
		refuses 125 'image' ctr run "$name" true
	done
}

@test "a container that is not there is named, by every verb" {
	for verb in start stop kill rm wait pause unpause logs attach export; do
		refuses 125 'no container nosuch.*ctr ps -a' ctr $verb nosuch
	done
	refuses 125 'no container nosuch' ctr exec nosuch true
}

@test "of several names the good ones are served" {
	ctr run --name job busybox true
	run -125 --separate-stderr ctr rm nosuch job
	equal job "$output"
	matches 'no container nosuch' "$stderr"
}

@test "a name in use is refused, with its holder and a way out" {
	id=$(ctr create --name web busybox true)
	refuses 125 "name web is in use by container ${id:0:12}.*ctr rm web" ctr run --name web busybox true
	refuses 125 'name web is in use' ctr create --name web busybox true
}

@test "a bad name is refused" {
	for name in a/b ../a .. . /abs .hidden -x 'a b' $'a\nb' 'ä' '' "$(printf 'x%.0s' $(seq 300))"; do
		refuses 125 'name' ctr run "--name=$name" busybox true
	done
}

@test "a bad user is refused" {
	refuses 125 'no user "nosuch" in the image' ctr run -u nosuch busybox true
	refuses 125 'no group "nosuch" in the image' ctr run -u 0:nosuch busybox true
	refuses 125 'user' ctr run -u -1 busybox true
	refuses 125 'ids go up to' ctr run -u 4294967295 busybox true
	refuses 125 'ids go up to' ctr run -u 99999999999999999999 busybox true
	refuses 125 'may be empty' ctr run -u : busybox true
	refuses 125 'may be empty' ctr run -u 0: busybox true
	refuses 125 'group' ctr run --group-add nosuch busybox true
}

@test "a bad volume is refused" {
	refuses 125 '/nosuch/dir does not exist' ctr run -v /nosuch/dir:/x busybox true
	refuses 125 '"relative"' ctr run -v relative:/x busybox true
	refuses 125 'must be absolute' ctr run -v /tmp:relative busybox true
	refuses 125 'unknown option "nosuch"' ctr run -v /tmp:/x:nosuch busybox true
	refuses 125 'bad volume "/tmp"' ctr run -v /tmp busybox true
	refuses 125 'volume' ctr run -v '' busybox true
	refuses 125 'volume' ctr run -v /tmp:/ busybox true
	refuses 125 'destination= is missing' ctr run --mount type=bind,source=/tmp busybox true
	refuses 125 'nosuch' ctr run --mount type=nosuch,destination=/x busybox true
	refuses 125 'must be absolute' ctr run --tmpfs relative busybox true
	[ ! -e /nosuch ]
}

@test "a bad number, size, signal or other value is refused" {
	refuses 125 '-m .*"lots"' ctr run -m lots busybox true
	refuses 125 'cpus' ctr run --cpus 0 busybox true
	refuses 125 'cpus' ctr run --cpus many busybox true
	refuses 125 'pids' ctr run --pids-limit x busybox true
	refuses 125 'ulimit' ctr run --ulimit nofile=x busybox true
	refuses 125 'ulimit' ctr run --ulimit nosuch=1 busybox true
	refuses 125 'shm-size' ctr run --shm-size 99999999999999999999g busybox true
	refuses 125 'NOSUCH' ctr run --stop-signal NOSUCH busybox true
	refuses 125 'NOSUCH' ctr run --cap-add NOSUCH busybox true
	refuses 125 'nosuch' ctr run --network nosuch busybox true
	refuses 125 'nosuch' ctr run --network container:nosuch busybox true
	refuses 125 'nosuch' ctr run --security-opt nosuch busybox true
	refuses 125 '=x' ctr run -e =x busybox true
	refuses 125 'nosuch' ctr run --env-file /nosuch busybox true
	refuses 125 'relative' ctr run -w relative busybox true
	refuses 125 'nosuch' ctr run --device /dev/nosuch busybox true
	refuses 125 'sysctl' ctr run --sysctl kernel.panic=1 busybox true
	refuses 125 'umask' ctr run --umask 999 busybox true
	refuses 125 'nosuch' ctr run --rootfs /nosuch true
	refuses 125 'nosuch' ctr run --log-driver nosuch busybox true
}

@test "a working directory that is a file is refused" {
	refuses 125 '/etc/passwd' ctr run -w /etc/passwd busybox true
}

@test "a cidfile that exists is refused and kept" {
	echo mine >"$work/id"
	refuses 125 "$work/id" ctr run --cidfile "$work/id" busybox true
	equal mine "$(cat "$work/id")"
}

@test "-t without a terminal says what to leave out" {
	refuses 125 'not a terminal.*-t' ctr run -it busybox true
}

@test "a bad template names its place" {
	ctr create --name job busybox true
	refuses 125 'template.*Nosuch' ctr ps -a --format '{{.Nosuch}}'
	refuses 125 'template' ctr ps -a --format '{{'
	refuses 125 'template.*Nosuch' ctr inspect --format '{{.Nosuch}}' job
	refuses 125 'template' ctr images --format '{{.Nosuch}}'
}

# --- the machine ---------------------------------------------------------------------------------------

@test "a limit whose controller cgroup v2 does not have names it and the fix" {
	point=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
	missing=0
	while read -r controller option; do
		! grep -qsw "$controller" "$point/cgroup.controllers" || continue
		missing=1
		refuses 125 "the $controller controller.*drop the limit" ctr run $option busybox true
	done <<-END
		memory -m 64m
		cpu --cpus 0.5
		pids --pids-limit 10
		cpuset --cpuset-cpus 0
	END
	[ $missing = 1 ] || skip 'cgroup v2 has every controller here'
}

@test "a full disk fails an import, and the store is as before" {
	small_disk
	ctr_at "$small/store" run --rm busybox true
	before=$(find "$small/store" | sort)
	mkdir "$work/root"
	head -c 8000000 /dev/urandom >"$work/root/big"
	tar -C "$work/root" -cf "$work/big.tar" .
	run -125 --separate-stderr ctr_at "$small/store" import -q "$work/big.tar" big
	equal 1 "${#stderr_lines[@]}"
	matches 'No space left|full' "$stderr"
	equal "$before" "$(find "$small/store" | sort)"
	ctr_at "$small/store" run --rm busybox true
}

@test "a full disk fails a first run, and leaves nothing half made" {
	small_disk
	head -c 3500000 /dev/zero >"$small/fill"
	run -125 --separate-stderr ctr_at "$small/store" run busybox true
	# The importer says why, ctr what it was for.
	matches '^ctr: .*No space left' "${stderr_lines[0]}"
	matches '^ctr: .*busybox' "${stderr_lines[-1]}"
	rm "$small/fill"
	equal hello "$(ctr_at "$small/store" run --rm busybox echo hello)"
	equal 1 "$(ls "$small/store/layers" | wc -l)"
}

@test "a disk without any room fails run; what is there still runs and can be removed" {
	small_disk
	ctr_at "$small/store" create --name job busybox echo hello
	cat /dev/zero >"$small/fill" 2>/dev/null || true
	run -125 --separate-stderr ctr_at "$small/store" run --name new busybox true
	matches '^ctr: .*(No space left|full)' "$stderr"
	equal job "$(ctr_at "$small/store" ps -a --format '{{.Names}}')"
	ctr_at "$small/store" rm job
	equal '' "$(ctr_at "$small/store" ps -aq)"
}

@test "a program that fills the disk sees that, and ctr goes on" {
	small_disk
	run -1 ctr_at "$small/store" run --name job busybox dd if=/dev/zero of=/big bs=1M count=10
	matches 'No space left' "$output"
	ctr_at "$small/store" rm job
	ctr_at "$small/store" run --rm busybox true
}

@test "a read-only store is refused, and can be looked at" {
	small_disk
	ctr_at "$small/store" run --name job busybox true
	mount -o remount,ro "$small"
	run -125 --separate-stderr ctr_at "$small/store" run busybox true
	equal 1 "${#stderr_lines[@]}"
	matches '^ctr: .*(Read-only file system|is read-only)' "$stderr"
	run -125 --separate-stderr ctr_at "$small/store" rm job
	matches '^ctr: .*(Read-only file system|is read-only)' "$stderr"
	equal job "$(ctr_at "$small/store" ps -a --format '{{.Names}}')"
	matches 'busybox' "$(ctr_at "$small/store" images)"
}

@test "a store that cannot be there is refused" {
	touch "$work/file"
	run -125 --separate-stderr ctr_at "$work/file" run busybox true
	equal 1 "${#stderr_lines[@]}"
	matches "^ctr: .*$work/file" "$stderr"
	run -125 --separate-stderr ctr_at /proc/nosuch run busybox true
	matches '^ctr: .*/proc/nosuch' "$stderr"
}

@test "without root ctr says that it needs it" {
	need setpriv
	mkdir -m 777 "$SCRATCH/nobody"
	run -125 --separate-stderr as_nobody --root "$SCRATCH/nobody/store" --state "$SCRATCH/nobody/state" run busybox true
	equal 1 "${#stderr_lines[@]}"
	matches '^ctr: .*root' "$stderr"
	rm -r "$SCRATCH/nobody"
}

@test "without root and without a place in the store the store is named" {
	need setpriv
	run -125 --separate-stderr as_nobody --root "$STORE" --state "$STATE" ps -a
	equal 1 "${#stderr_lines[@]}"
	matches '^ctr: .*([Pp]ermission|root)' "$stderr"
}

# --- a damaged store ----------------------------------------------------------------------------------

@test "a damaged record is named, and does not stop the others" {
	ctr create --name good busybox echo hello
	id=$(ctr create --name bad busybox true)
	echo '{ "id": ' >"$STORE/containers/$id/record.json"
	run --separate-stderr ctr ps -a --format '{{.Names}}'
	matches $'(^|\n)good($|\n)' "$output"
	run -125 --separate-stderr ctr start bad
	equal 1 "${#stderr_lines[@]}"
	matches '^ctr: .*record' "$stderr"
	equal hello "$(ctr start -a good)"
	run ctr system check --repair
	ctr rm -f bad "$id" || rm -rf "$STORE/containers/$id" "$STORE/names/bad"
}

@test "a damaged image is named, and does not stop the others" {
	tar -xOf "$(dirname "$CTR")/busybox.tar" ./bin/busybox >"$work/x"
	tar -C "$work" -cf "$work/t.tar" x
	id=$(ctr import -q "$work/t.tar" damaged)
	cp "$STORE/images/$id.json" "$work/keep"
	echo '[[[[' >"$STORE/images/$id.json"
	run -125 --separate-stderr ctr run damaged /x
	equal 1 "${#stderr_lines[@]}"
	matches '^ctr: ' "$stderr"
	ctr run --rm busybox true
	cp "$work/keep" "$STORE/images/$id.json"
	ctr rmi damaged
}
