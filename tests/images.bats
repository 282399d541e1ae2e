#!/usr/bin/env bats
# Images: from an archive into the store, under a name, and out again.

load helpers

setup() {
	work=$BATS_TEST_TMPDIR
	mkdir -p "$work/root/bin" "$work/root/etc"
	ctr_busybox >"$work/root/bin/busybox"
	chmod 755 "$work/root/bin/busybox"
	ln -s busybox "$work/root/bin/sh"
	ln -s busybox "$work/root/bin/cat"
	echo test >"$work/root/etc/release"
}

teardown() {
	remove_containers
	# What a test left of images is its own.
	ctr images --format '{{.Repository}}:{{.Tag}}' | grep -v '^busybox:' | while read -r name; do
		ctr rmi "$name" >/dev/null
	done
}

ctr_busybox() {
	tar -xOf "$(dirname "$CTR")/busybox.tar" ./bin/busybox
}

layers() {
	ls "$STORE/layers"
}

import_fails() { # REGEX FILE: with one sentence, and nothing of it stays
	refuses 125 "$1" ctr import -q "$2" bad
	[[ $(ctr images) != *bad* ]]
	store_is_sound
}

@test "busybox is there without anything imported or downloaded" {
	matches 'busybox +latest' "$(ctr images)"
	ctr run --rm busybox true
}

@test "import takes a plain tar" {
	tar -C "$work/root" -cf "$work/t.tar" .
	run ctr import -q "$work/t.tar" test
	matches '^[0-9a-f]{64}$' "$output"
	equal test "$(ctr run --rm test cat /etc/release)"
}

@test "import takes gzip, bzip2, xz and zstd" {
	tar -C "$work/root" -cf "$work/t.tar" .
	for program in gzip bzip2 xz zstd; do
		need $program
		$program -c <"$work/t.tar" >"$work/t.any"
		ctr import -q "$work/t.any" "test-$program"
		equal test "$(ctr run --rm "test-$program" cat /etc/release)"
	done
	# The same tree is stored once.
	equal 2 "$(layers | wc -l)"
}

@test "import reads standard input" {
	tar -C "$work/root" -cz . | ctr_stdin import -q - test:1
	equal test "$(ctr run --rm test:1 cat /etc/release)"
}

@test "import --change sets what runs and how" {
	tar -C "$work/root" -cf "$work/t.tar" .
	ctr import -q -c 'CMD ["cat", "/etc/release"]' -c 'ENV COLOUR=blue' -c 'WORKDIR /etc' -c 'USER 12:34' \
		-c 'LABEL a=b' "$work/t.tar" test
	equal test "$(ctr run --rm test)"
	equal 'blue /etc 12:34' "$(ctr run --rm test sh -c 'echo $COLOUR $(pwd) $(busybox id -u):$(busybox id -g)')"
	equal b "$(ctr inspect --type image -f '{{index .Config.Labels "a"}}' test)"
}

@test "import keeps owners, modes, times, links and special files" {
	chown 12:34 "$work/root/etc/release"
	chmod 4751 "$work/root/etc/release"
	touch -d @1000000000 "$work/root/etc/release"
	ln "$work/root/etc/release" "$work/root/etc/hard"
	mkfifo "$work/root/fifo"
	tar -C "$work/root" --numeric-owner -cf "$work/t.tar" .
	ctr import -q "$work/t.tar" test
	equal '12:34 4751 1000000000 2' "$(ctr run --rm test busybox stat -c '%u:%g %a %Y %h' /etc/release)"
	equal fifo "$(ctr run --rm test busybox stat -c %F /fifo)"
	equal busybox "$(ctr run --rm test busybox readlink /bin/sh)"
}

@test "tag gives a further name" {
	ctr tag busybox box:2
	equal "$(ctr inspect --type image -f '{{.Id}}' busybox)" "$(ctr inspect --type image -f '{{.Id}}' box:2)"
	ctr run --rm box:2 true
	run ctr rmi box:2
	matches 'untagged box:2' "$output"
	[[ $output != *deleted* ]]
	ctr run --rm busybox true
}

@test "a name that is given anew moves" {
	tar -C "$work/root" -cf "$work/t.tar" .
	ctr import -q "$work/t.tar" test
	echo second >"$work/root/etc/release"
	tar -C "$work/root" -cf "$work/t.tar" .
	ctr import -q "$work/t.tar" test
	equal second "$(ctr run --rm test cat /etc/release)"
	equal 1 "$(ctr images --format '{{.Repository}}' | grep -c '^test$')"
	# The first one is still there by its id, and can be removed.
	for id in $(ctr images --no-trunc -q | sort -u); do
		[ "$id" = "$(ctr inspect --type image -f '{{.Id}}' busybox)" ] || ctr rmi -f "$id"
	done
	equal 1 "$(layers | wc -l)"
}

@test "images lists as table, JSON, ids and by template" {
	matches '^REPOSITORY +TAG +IMAGE ID +CREATED +SIZE' "$(ctr images)"
	matches '"Repository": "busybox"' "$(ctr images --format json)"
	equal 'busybox:latest' "$(ctr images --format '{{.Repository}}:{{.Tag}}')"
	matches '^[0-9a-f]{12}$' "$(ctr images -q)"
	matches '^[0-9a-f]{64}$' "$(ctr images -q --no-trunc)"
}

@test "rmi removes an image and what only it had" {
	before=$(layers)
	tar -C "$work/root" -cf "$work/t.tar" .
	ctr import -q "$work/t.tar" test
	run ctr rmi test
	matches 'untagged test:latest' "$output"
	matches 'deleted [0-9a-f]{64}' "$output"
	equal "$before" "$(layers)"
	refuses 125 "no image 'test'" ctr run test true
}

@test "rmi spares an image that a container uses" {
	tar -C "$work/root" -cf "$work/t.tar" .
	ctr import -q "$work/t.tar" test
	ctr create --name job test cat /etc/release
	refuses 125 'job|in use|used by' ctr rmi test
	equal test "$(ctr start -a job)"
	ctr rm job
	ctr rmi test
}

@test "rmi -f by name leaves a container that uses the image whole" {
	tar -C "$work/root" -cf "$work/t.tar" .
	ctr import -q "$work/t.tar" test
	ctr create --name job test cat /etc/release
	run ctr rmi -f test
	equal test "$(ctr start -a job)"
}

@test "an archive that is cut short is refused" {
	tar -C "$work/root" -cf "$work/t.tar" .
	size=$(stat -c %s "$work/t.tar")
	for part in 300 5000 $((size / 2)); do
		head -c $part "$work/t.tar" >"$work/cut.tar"
		import_fails 'cut short|not a tar archive' "$work/cut.tar"
	done
	gzip -c "$work/t.tar" >"$work/t.gz"
	head -c $(($(stat -c %s "$work/t.gz") / 2)) "$work/t.gz" >"$work/cut.gz"
	import_fails 'damaged|cut short|truncated' "$work/cut.gz"
}

@test "an archive that is damaged is refused" {
	tar -C "$work/root" -cf "$work/t.tar" .
	printf 'garbage' | dd of="$work/t.tar" bs=1 seek=600 conv=notrunc status=none
	import_fails 'damaged' "$work/t.tar"
	tar -C "$work/root" -czf "$work/t.gz" .
	printf 'garbage' | dd of="$work/t.gz" bs=1 seek=50000 conv=notrunc status=none
	import_fails 'damaged|corrupt' "$work/t.gz"
}

@test "what is no archive is refused" {
	head -c 20000 /bin/sh >"$work/elf"
	import_fails 'not a tar archive' "$work/elf"
	: >"$work/empty"
	import_fails 'empty' "$work/empty"
	import_fails 'nosuch' "$work/nosuch"
	mkdir "$work/dir"
	import_fails 'directory|archive' "$work/dir"
}

@test "an archive with .. in a name is refused" {
	echo evil >"$work/x"
	tar -C "$work" -P --transform "s,^x\$,../../../../../../..$work/evil," -cf "$work/t.tar" x
	import_fails "'\\.\\.'|\\.\\. in" "$work/t.tar"
	[ ! -e "$work/evil" ]
}

@test "absolute names stay in the image" {
	echo evil >"$work/x"
	tar -C "$work/root" -cf "$work/t.tar" .
	tar -C "$work" -P --transform "s,^x\$,$work/evil," -rf "$work/t.tar" x
	run ctr import -q "$work/t.tar" test
	[ ! -e "$work/evil" ]
	[ "$status" -ne 0 ] || equal evil "$(ctr run --rm test cat "$work/evil")"
}

@test "a symlink in an archive does not lead the next entry out" {
	mkdir "$work/outside" "$work/one" "$work/two"
	ln -s "$work/outside" "$work/one/link"
	mkdir "$work/two/link"
	echo evil >"$work/two/link/evil"
	tar -C "$work/one" -cf "$work/t.tar" link
	tar -C "$work/two" -rf "$work/t.tar" link/evil
	run ctr import -q "$work/t.tar" test
	equal '' "$(ls -A "$work/outside")"
}

@test "a hard link in an archive does not reach the host's files" {
	need python3
	echo secret >"$work/secret"
	for target in "$work/secret" "../../../../../../../..$work/secret"; do
		/usr/bin/env python3 - "$work/t.tar" "$target" <<-'PY'
			import sys, tarfile
			t = tarfile.TarFile(sys.argv[1], "w")
			i = tarfile.TarInfo("leak")
			i.type, i.linkname = tarfile.LNKTYPE, sys.argv[2]
			t.addfile(i)
		PY
		run ctr import -q "$work/t.tar" test
		equal 125 "$status"
		equal 1 "$(stat -c %h "$work/secret")"
	done
}

@test "a bad name is refused" {
	tar -C "$work/root" -cf "$work/t.tar" .
	for name in 'UPPER' '../up' 'a b' 'a:b:c' '-x' 'a/../b' ''; do
		run -125 ctr import -q "$work/t.tar" -- "$name"
		equal 1 "${#lines[@]}"
	done
	equal 1 "$(layers | wc -l)"
}

# --- a whole distribution -----------------------------------------------------------------------------

# A Debian root filesystem, made once.
debian() {
	local tar=$CTR_TEST_CACHE/debian-bookworm-1.tar
	if [ ! -f "$tar" ]; then
		need mmdebstrap
		mkdir -p "$CTR_TEST_CACHE"
		timeout -s KILL 600 mmdebstrap --quiet --format=tar --variant=minbase --include=python3-minimal bookworm "$tar.$$" \
			</dev/null >"$work/mmdebstrap.log" 2>&1 3>&- ||
			{ rm -f "$tar.$$"; skip "mmdebstrap cannot make a Debian here: $(tail -n 1 "$work/mmdebstrap.log")"; }
		mv "$tar.$$" "$tar"
	fi
	debian_tar=$tar
}

@test "a whole Debian runs bash, apt and python3" {
	debian
	ctr import -q "$debian_tar" debian
	matches '^GNU bash, version 5' "$(ctr run --rm debian bash --version)"
	matches '^apt 2\.' "$(ctr run --rm debian apt-get --version)"
	equal 42 "$(ctr run --rm debian python3 -c 'print(6 * 7)')"
	run -0 ctr run --rm debian sh -c 'apt-get check && dpkg --audit && dpkg -l | grep -c ^ii'
	equal root "$(ctr run --rm debian whoami)"
	run ctr run --rm -u nobody debian bash -c 'echo $UID; touch /etc/x'
	equal 65534 "${lines[0]}"
	matches 'Permission denied' "$output"
}
