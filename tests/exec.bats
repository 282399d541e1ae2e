#!/usr/bin/env bats
# `ctr exec`: a further program in a running container.

load helpers

setup_file() {
	store_begin
	ctr run -d --name web -e COLOUR=blue -w /tmp -h box busybox sleep 100000
}

# The container is for all tests.
teardown() {
	:
}

@test "exec runs a program beside the first one" {
	equal hello "$(ctr exec web echo hello)"
	# The container's first process is process 1 there, too.
	equal 'sleep 100000 ' "$(ctr exec web sh -c "tr '\0' ' ' </proc/1/cmdline")"
}

@test "exec gives the program's exit status" {
	for code in 0 1 77; do
		run ctr exec web sh -c "exit $code"
		equal $code "$status"
	done
	run ctr exec web sh -c 'kill -TERM $$'
	equal 143 "$status"
}

@test "exec keeps standard output and standard error apart" {
	run --separate-stderr ctr exec web sh -c 'echo out; echo err >&2'
	equal out "$output"
	equal err "$stderr"
}

@test "exec has the container's environment, directory and host name" {
	equal blue "$(ctr exec web sh -c 'echo $COLOUR')"
	equal /tmp "$(ctr exec web pwd)"
	equal box "$(ctr exec web hostname)"
}

@test "exec -e and -w override them" {
	equal 'red' "$(ctr exec -e COLOUR=red web sh -c 'echo $COLOUR')"
	equal /etc "$(ctr exec -w /etc web pwd)"
	equal ours "$(OURS=ours ctr exec -e OURS web sh -c 'echo $OURS')"
}

@test "exec -u runs as another user" {
	equal 0 "$(ctr exec web id -u)"
	equal 1234:567 "$(ctr exec -u 1234:567 web sh -c 'echo $(id -u):$(id -g)')"
	equal nobody "$(ctr exec -u nobody web id -un)"
}

@test "exec -i passes input on, without it there is none" {
	head -c 1000000 /dev/urandom >"$work/in"
	ctr_stdin exec -i web cat <"$work/in" | cmp "$work/in" -
	equal '' "$(ctr_stdin exec web cat <"$work/in")"
}

@test "exec sees what the container sees, and no more" {
	for ns in pid mnt net ipc uts cgroup; do
		inside=$(ctr exec web readlink /proc/self/ns/$ns)
		equal "$inside" "$(ctr exec web readlink /proc/1/ns/$ns)"
		[ "$inside" != "$(readlink /proc/self/ns/$ns)" ]
	done
}

@test "exec is in the container's cgroup" {
	equal "$(ctr exec web cat /proc/1/cgroup | grep ^0:)" "$(ctr exec web cat /proc/self/cgroup | grep ^0:)"
	ctr exec -d web sleep 54321
	eventually eval 'ctr exec web pidof sleep | grep -q " "'
	pid=$(pgrep -fx 'sleep 54321')
	equal "$(grep ^0: "/proc/$(field web .State.Pid)/cgroup")" "$(grep ^0: "/proc/$pid/cgroup")"
	kill -KILL "$pid"
	eventually gone "$pid"
}

@test "exec has no more privileges than the container" {
	for what in CapEff CapBnd NoNewPrivs Seccomp; do
		equal "$(ctr exec web grep ^$what: /proc/1/status)" "$(ctr exec web grep ^$what: /proc/self/status)"
	done
}

@test "exec --privileged has them all" {
	all=$(printf '%016x' $(((1 << ($(cat /proc/sys/kernel/cap_last_cap) + 1)) - 1)))
	# As far as we have them ourselves.
	ours=$(awk '$1 == "CapBnd:" { print $2 }' /proc/self/status)
	equal "$(printf '%016x' $((0x$all & 0x$ours)))" "$(ctr exec --privileged web awk '$1 == "CapEff:" { print $2 }' /proc/self/status)"
}

@test "exec leaves no descriptor of ours open" {
	# 0, 1, 2 and the directory that ls reads.
	equal 4 "$(ctr exec web ls /proc/self/fd | wc -l)"
}

@test "exec -d returns at once and its program goes on" {
	run --separate-stderr ctr exec -d web sh -c 'echo $$ >/tmp/pid; exec sleep 100000'
	equal 0 "$status"
	eventually ctr exec web sh -c 'kill -0 $(cat /tmp/pid)'
	ctr exec web sh -c 'kill -KILL $(cat /tmp/pid)'
}

@test "exec passes signals on" {
	ctr_background exec web sh -c 'trap "exit 9" USR1; touch /tmp/trapped; while :; do sleep 1000 & wait; done'
	cli=$!
	eventually ctr exec web test -e /tmp/trapped
	kill -USR1 $cli
	wait $cli && status=0 || status=$?
	equal 9 "$status"
	ctr exec web sh -c 'rm /tmp/trapped; kill $(pidof sleep | tr " " "\n" | grep -vx 1)'
}

@test "exec of what is not there gives 127, of what cannot be executed 126" {
	refuses 127 'nosuchcommand.*not found' ctr exec web nosuchcommand
	refuses 126 '/etc/passwd.*not executable' ctr exec web /etc/passwd
}

@test "exec refuses what it does not know" {
	refuses 125 'no user "nosuchuser"' ctr exec -u nosuchuser web true
	refuses 125 'no container nosuch' ctr exec nosuch true
	refuses 125 'unknown option --nosuch' ctr exec --nosuch web true
	refuses 125 'CONTAINER' ctr exec
}

@test "exec in a container that does not run says so" {
	ctr create --name idle busybox true
	refuses 125 'container idle is not running' ctr exec idle true
	ctr start idle
	ctr wait idle
	refuses 125 'container idle is not running' ctr exec idle true
	ctr rm idle
}

@test "exec in a paused container says so" {
	ctr run -d --name frozen busybox sleep 1000
	ctr pause frozen
	refuses 125 'is paused: unpause it first' ctr exec frozen true
	ctr rm -f frozen
}

@test "what exec started ends with the container" {
	ctr run -d --name short busybox sleep 1000
	ctr_background exec short sleep 100000
	cli=$!
	eventually eval 'ctr exec short pidof sleep | grep -q " "'
	ctr rm -f short
	wait $cli && status=0 || status=$?
	equal 137 "$status"
}
