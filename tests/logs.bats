#!/usr/bin/env bats
# `ctr logs`: what a container wrote.

load helpers

@test "logs shows what was written, both streams, each to its own" {
	ctr run --name job busybox sh -c 'echo out; echo err >&2' >/dev/null 2>&1
	run --separate-stderr ctr logs job
	equal out "$output"
	equal err "$stderr"
}

@test "logs shows the output of a running container" {
	ctr run -d --name web busybox sh -c 'echo ready; sleep 1000'
	eventually log_has web ready
}

@test "logs keeps bytes as they are" {
	ctr run --name job busybox sh -c 'printf "a\ttab, \033[1mbold\033[0m, \303\244 and no newline"' >/dev/null
	ctr logs job >"$work/out"
	printf 'a\ttab, \033[1mbold\033[0m, \303\244 and no newline' | cmp - "$work/out"
}

@test "a line longer than any buffer is one line" {
	ctr run --name job busybox sh -c 'head -c 200000 /dev/zero | tr "\0" x; echo' >/dev/null
	equal 200001 "$(ctr logs job | wc -c)"
	equal 1 "$(ctr logs job | wc -l)"
	equal 200001 "$(ctr logs --tail 1 job | wc -c)"
}

@test "--tail shows the last lines" {
	ctr run --name job busybox seq 1000 >/dev/null
	equal $'999\n1000' "$(ctr logs --tail 2 job)"
	equal '' "$(ctr logs --tail 0 job)"
	equal 1000 "$(ctr logs --tail all job | wc -l)"
	equal 1000 "$(ctr logs --tail 5000 job | wc -l)"
	equal 1000 "$(ctr logs -n 1 job)"
}

@test "-t puts the time before each line" {
	ctr run --name job busybox sh -c 'echo one; echo two' >/dev/null
	run ctr logs -t job
	equal 2 "${#lines[@]}"
	matches '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z one$' "${lines[0]}"
	matches ' two$' "${lines[1]}"
	[ "$(date -d "${lines[0]%% *}" +%s)" -le "$(date -d "${lines[1]%% *}" +%s)" ]
}

@test "--since and --until choose by time" {
	ctr run --name job busybox sh -c 'echo one; usleep 20000; echo two; usleep 20000; echo three' >/dev/null
	second=$(ctr logs -t job | sed -n 's/ two$//p')
	equal $'two\nthree' "$(ctr logs --since "$second" job)"
	equal $'one\ntwo' "$(ctr logs --until "$second" job)"
	equal two "$(ctr logs --since "$second" --until "$second" job)"
	equal 3 "$(ctr logs --since 10m job | wc -l)"
	equal '' "$(ctr logs --until 10m job)"
	equal '' "$(ctr logs --since 2100-01-01T00:00:00Z job)"
}

@test "-f follows to the end of the container" {
	ctr run -d --name job busybox sh -c 'echo first; until [ -e /go ]; do usleep 10000; done; echo last'
	ctr logs -f job >"$work/out" &
	follower=$!
	eventually grep -qx first "$work/out"
	ctr exec job touch /go
	wait $follower
	equal $'first\nlast' "$(cat "$work/out")"
}

@test "-f of what has ended ends" {
	ctr run --name job busybox echo hello >/dev/null
	equal hello "$(ctr logs -f job)"
}

@test "-f --tail begins with the last lines" {
	ctr run -d --name job busybox sh -c 'seq 100; until [ -e /go ]; do usleep 10000; done; echo last'
	eventually log_has job 100
	ctr logs -f --tail 1 job >"$work/out" &
	follower=$!
	eventually grep -qx 100 "$work/out"
	ctr exec job touch /go
	wait $follower
	equal $'100\nlast' "$(cat "$work/out")"
}

@test "-f ends when the monitor is killed" {
	ctr run -d --name job busybox sh -c 'echo ready; sleep 1000'
	ctr logs -f job >"$work/out" &
	follower=$!
	eventually grep -qx ready "$work/out"
	kill -KILL "$(monitor_of job)"
	wait $follower
	equal ready "$(cat "$work/out")"
}

@test "every run of a container adds to its log" {
	ctr create --name job busybox echo again
	ctr start -a job
	ctr start -a job
	equal $'again\nagain' "$(ctr logs job)"
}

@test "the log does not grow without end" {
	ctr run --name job --log-opt max-size=100k busybox seq 200000 >/dev/null
	[ "$(du -ck "$STORE/containers/$(field job .Id)"/log* | tail -1 | cut -f1)" -le 250 ]
	equal 200000 "$(ctr logs --tail 1 job)"
	# No line is lost or doubled between the old file and the new.
	first=$(ctr logs job | head -n 1)
	ctr logs job >"$work/out"
	seq "$first" 200000 | cmp - "$work/out"
}

@test "--log-driver none keeps nothing" {
	equal hello "$(ctr run --name job --log-driver none busybox echo hello)"
	run ctr logs job
	[[ $output != *hello* ]]
	[ ! -s "$STORE/containers/$(field job .Id)/log" ]
}

@test "logs refuses what it does not know" {
	ctr create --name job busybox true
	refuses 125 'no container nosuch' ctr logs nosuch
	refuses 125 'since' ctr logs --since yesterdayish job
	refuses 125 'tail' ctr logs --tail some job
}
