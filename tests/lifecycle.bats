#!/usr/bin/env bats
# A container's life: created, running, paused, exited, removed; and what a crash does to it.

load helpers

# A container that ends by itself when it is asked to, and has said that it is ready for that.
run_polite() { # NAME [OPTION...]
	local name=$1
	shift
	ctr run -d --name "$name" "$@" busybox sh -c \
		'trap "exit 7" TERM; trap "echo hup" HUP; echo ready; while :; do sleep 1000 & wait; done'
	eventually log_has "$name" ready
}

@test "create makes a container that does not run yet" {
	run ctr create --name job busybox echo hello
	matches '^[0-9a-f]{64}$' "$output"
	container_is job created
	equal '' "$(ctr ps -q)"
	refuses 125 'job was never started' ctr wait job
}

@test "start runs what create made, and says its name" {
	ctr create --name job busybox sh -c 'echo hello; exit 5'
	equal job "$(ctr start job)"
	equal 5 "$(ctr wait job)"
	equal hello "$(ctr logs job)"
}

@test "start -a shows the output and gives the exit status" {
	ctr create --name job busybox sh -c 'echo hello; exit 5'
	run -5 ctr start -a job
	equal hello "$output"
}

@test "start -ai passes input on" {
	ctr create -i --name job busybox cat
	equal 'typed' "$(ctr_stdin start -ai job <<<typed)"
}

@test "starting what runs already is no error and starts nothing" {
	ctr run -d --name web busybox sleep 1000
	pid=$(field web .State.Pid)
	ctr start web
	equal "$pid" "$(field web .State.Pid)"
}

@test "a container can be started again and again" {
	ctr create --name job busybox sh -c 'echo run >>/count; wc -l </count'
	for n in 1 2 3; do
		equal "$n" "$(ctr start -a job)"
	done
}

@test "stop asks, and the program may end its own way" {
	run_polite web
	equal web "$(ctr stop web)"
	container_is web exited
	equal 7 "$(field web .State.ExitCode)"
}

@test "stop kills what does not listen when the time is over" {
	ctr run -d --name deaf busybox sh -c 'trap "" TERM; echo ready; while :; do sleep 1000; done'
	eventually log_has deaf ready
	ctr stop -t 1 deaf
	equal 137 "$(ctr wait deaf)"
}

@test "stop -t 0 does not wait" {
	ctr run -d --name deaf busybox sleep 1000
	ctr stop -t 0 deaf
	equal 137 "$(ctr wait deaf)"
}

@test "--stop-signal is what stop sends" {
	ctr run -d --name web --stop-signal USR1 busybox sh -c \
		'trap "exit 3" USR1; echo ready; while :; do sleep 1000 & wait; done'
	eventually log_has web ready
	ctr stop web
	equal 3 "$(ctr wait web)"
}

@test "stopping what has ended is no error" {
	ctr run --name job busybox true
	ctr stop job
	equal 0 "$(field job .State.ExitCode)"
}

@test "kill sends a signal, by name or number, and KILL without one" {
	run_polite web
	ctr kill -s HUP web
	eventually log_has web hup
	ctr kill -s SIGTERM web
	equal 7 "$(ctr wait web)"
	run_polite again
	ctr kill -s 15 again
	equal 7 "$(ctr wait again)"
	ctr run -d --name deaf busybox sleep 1000
	ctr kill deaf
	equal 137 "$(ctr wait deaf)"
}

@test "kill of what does not run says so" {
	ctr run --name job busybox true
	refuses 125 'container job is not running' ctr kill job
	refuses 125 'NOSUCH' ctr kill -s NOSUCH job
}

@test "everything in the container ends with its first process" {
	ctr run -d --name web busybox sh -c 'sleep 1000 & sleep 1000 & echo ready; sleep 1000'
	eventually log_has web ready
	cgroup=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)$(sed -n 's/^0:://p' "/proc/$(field web .State.Pid)/cgroup")
	pids=$(cat "$cgroup/cgroup.procs")
	[ "$(wc -w <<<"$pids")" -ge 3 ]
	ctr kill web
	ctr wait web
	for pid in $pids; do gone "$pid"; done
	[ ! -e "$cgroup" ]
}

@test "rm removes what has ended" {
	ctr run --name job busybox true
	equal job "$(ctr rm job)"
	equal '' "$(ctr ps -aq)"
	refuses 125 'no container job' ctr rm job
}

@test "rm spares what runs; rm -f kills it" {
	ctr run -d --name web busybox sleep 1000
	pid=$(field web .State.Pid)
	refuses 125 'container web is running: stop it first, or use `ctr rm -f`' ctr rm web
	container_is web running
	ctr rm -f web
	equal '' "$(ctr ps -aq)"
	gone "$pid"
}

@test "rm -f while somebody is attached leaves nothing" {
	for i in 1 2 3 4 5; do
		ctr_background run --name web busybox sh -c 'echo ready; sleep 1000'
		cli=$!
		eventually log_has web ready
		ctr rm -f web
		wait $cli && status=0 || status=$?
		equal 137 "$status"
		equal '' "$(ctr ps -aq)"
	done
}

@test "rm --all removes what has ended, with --force everything" {
	ctr run --name one busybox true
	ctr run --name two busybox true
	ctr run -d --name web busybox sleep 1000
	ctr rm --all
	equal web "$(ctr ps -a --format '{{.Names}}')"
	ctr rm --all --force
	equal '' "$(ctr ps -aq)"
}

@test "wait prints the exit status, once for each, however late" {
	ctr run -d --name one busybox sh -c 'exit 1'
	ctr run -d --name two busybox sh -c 'exit 2'
	equal $'1\n2' "$(ctr wait one two)"
	equal $'2\n1' "$(ctr wait two one)"
}

@test "wait returns when the container ends, not before" {
	run_polite web
	ctr wait web >"$work/status" 3>&- &
	waiter=$!
	ctr exec web true
	equal '' "$(cat "$work/status")"
	! gone $waiter || false
	ctr stop web
	wait $waiter
	equal 7 "$(cat "$work/status")"
}

@test "pause stops every process, unpause lets them go on" {
	ctr run -d --name clock busybox sh -c 'while :; do echo tick; usleep 10000; done'
	eventually log_has clock tick
	ctr pause clock
	container_is clock paused
	matches 'Paused' "$(ctr ps --format '{{.Status}}')"
	# What it wrote before it froze may still be on its way to the log; then nothing more comes.
	eventually eval 'n=$(ctr logs clock | wc -l); for i in 1 2 3 4 5; do [ "$(ctr logs clock | wc -l)" = $n ] || break; done; [ $i = 5 ]'
	refuses 125 'clock is paused' ctr pause clock
	ctr unpause clock
	container_is clock running
	eventually eval '[ "$(ctr logs clock | wc -l)" -gt $n ]'
	refuses 125 'clock is not paused' ctr unpause clock
}

@test "a paused container can be stopped, killed and removed" {
	run_polite one
	ctr pause one
	ctr stop one
	equal 7 "$(ctr wait one)"
	ctr run -d --name two busybox sleep 1000
	ctr pause two
	ctr kill two
	equal 137 "$(ctr wait two)"
	ctr run -d --name three busybox sleep 1000
	ctr pause three
	ctr rm -f three
	equal $'one\ntwo' "$(ctr ps -a --format '{{.Names}}' | sort)"
}

@test "attach shows what comes from now on and ends with the container" {
	run_polite web
	"$CTR" --root "$STORE" --state "$STATE" attach web >"$work/out" </dev/null 3>&- 4>&- &
	attached=$!
	eventually eval 'ctr kill -s HUP web; grep -qx hup "$work/out"'
	ctr stop web
	wait $attached && status=0 || status=$?
	equal 7 "$status"
}

@test "attach passes input on" {
	ctr run -d -i --name echo busybox sh -c 'read line; echo "got $line"; exit 6'
	run -6 ctr_stdin attach echo <<<'a line'
	equal 'got a line' "$(ctr logs echo)"
}

@test "attaching to what does not run says so" {
	ctr run --name job busybox true
	refuses 125 'container job is not running' ctr attach job
}

@test "a container is found by name, id and the start of its id" {
	id=$(ctr create --name web busybox true)
	for name in web "$id" "${id:0:12}" "${id:0:20}"; do
		equal "$id" "$(field "$name" .Id)"
	done
}

@test "without a name it gets one, and every one another" {
	for i in 1 2 3 4 5; do ctr create busybox true; done
	names=$(ctr ps -a --format '{{.Names}}')
	equal 5 "$(sort -u <<<"$names" | wc -l)"
	while read -r name; do matches '^[a-z]+_[a-z]+' "$name"; done <<<"$names"
}

@test "a name is free again when its container is removed" {
	ctr run --name job busybox true
	refuses 125 'name job is in use.*rm job' ctr run --name job busybox true
	ctr rm job
	ctr run --rm --name job busybox true
}

# --- crashes ------------------------------------------------------------------------------------------

@test "a detached container lives on when its ctr is killed" {
	# Whether ctr is caught before it has gone by itself or not, the container is as good.
	ctr_background run -d --name web busybox sh -c 'echo ready; sleep 1000' >"$work/id"
	cli=$!
	eventually eval 'ctr ps -q | grep -q .'
	kill -KILL $cli 2>/dev/null || true
	wait $cli || true
	eventually log_has web ready
	container_is web running
	ctr exec web true
}

@test "a container in the foreground lives on when its ctr is killed" {
	ctr_background run --name web busybox sh -c 'echo ready; sleep 1000'
	cli=$!
	eventually log_has web ready
	kill -KILL $cli
	wait $cli || true
	container_is web running
	ctr stop -t 0 web
	equal 137 "$(ctr wait web)"
}

@test "when the monitor is killed the container ends, and the next command says so" {
	ctr run -d --name web busybox sh -c 'sleep 1000 & echo ready; sleep 1000'
	eventually log_has web ready
	pid=$(field web .State.Pid)
	kill -KILL "$(monitor_of web)"
	eventually container_is web exited
	gone "$pid"
	equal 137 "$(field web .State.ExitCode)"
	matches 'monitor was killed' "$(field web .State.Error)"
	equal '' "$(ls "$STATE/containers")"
	no_empty_cgroups
	store_is_sound
	equal ready "$(ctr logs web)"
}

@test "each command after the monitor's death tells the truth" {
	for verb in 'ps -a' 'wait web' 'logs web' 'stop web' 'start web' 'rm web' 'rm -f web'; do
		ctr run -d --name web busybox sleep 1000
		pid=$(field web .State.Pid) monitor=$(monitor_of web)
		kill -KILL "$monitor"
		eventually gone "$monitor"
		run ctr $verb
		equal 0 "$status" || { echo "ctr $verb: $output"; return 1; }
		case $verb in
		ps*) matches 'Exited \(137\)' "$output" ;;
		wait*) equal 137 "$output" ;;
		start*) container_is web running ;;
		rm*) equal '' "$(ctr ps -aq)" ;;
		esac
		gone "$pid"
		ctr rm -f web
	done
}

@test "exec, kill and pause after the monitor's death say that it does not run" {
	for verb in 'kill web' 'pause web' 'exec web true' 'attach web'; do
		ctr run -d --name web busybox sleep 1000
		monitor=$(monitor_of web)
		kill -KILL "$monitor"
		eventually gone "$monitor"
		run -125 --separate-stderr ctr $verb
		equal 'ctr: container web is not running' "$stderr"
		ctr rm -f web
	done
}

@test "--rm holds when the monitor is killed" {
	ctr run -d --rm --name web busybox sleep 1000
	pid=$(field web .State.Pid)
	kill -KILL "$(monitor_of web)"
	eventually eval '[ -z "$(ctr ps -aq)" ]'
	gone "$pid"
	equal '' "$(ls "$STORE/containers" "$STORE/names" | grep -v :)"
	no_empty_cgroups
}

@test "who is attached hears of the monitor's death" {
	ctr_background run --name web busybox sh -c 'echo ready; sleep 1000' 2>"$work/err"
	cli=$!
	eventually log_has web ready
	kill -KILL "$(monitor_of web)"
	wait $cli && status=0 || status=$?
	equal 125 "$status"
	matches 'monitor of container web was killed' "$(cat "$work/err")"
}

@test "system check finds what a killed monitor left, --repair removes it" {
	store_is_sound
	ctr run -d --name web busybox sleep 1000
	store_is_sound
	monitor=$(monitor_of web)
	kill -KILL "$monitor"
	eventually gone "$monitor"
	run -1 ctr system check
	matches 'monitor was killed' "$output"
	run ctr system check --repair
	store_is_sound
	container_is web exited
}

@test "system check finds a container whose maker was killed" {
	id=$(printf '%064d' 7)
	mkdir -p "$STORE/containers/$id/upper/etc"
	touch "$STORE/containers/$id/lock" "$STORE/containers/$id/upper/etc/x"
	equal '' "$(ctr ps -aq)"
	run -1 ctr system check
	matches 'container 000000000000 was not finished' "$output"
	run ctr system check --repair
	[ ! -e "$STORE/containers/$id" ]
}

@test "twenty containers at a time leave nothing" {
	pids=
	for i in $(seq 20); do
		ctr run --rm busybox sh -c "echo $i; exit $i" >"$work/out.$i" 2>&1 &
		pids="$pids $!"
	done
	i=0
	for pid in $pids; do
		i=$((i + 1))
		wait "$pid" && status=0 || status=$?
		equal "$i" "$status" || { cat "$work/out.$i"; return 1; }
		equal "$i" "$(cat "$work/out.$i")"
	done
	equal '' "$(ctr ps -aq)"
	equal '' "$(ls "$STORE/containers")"
}
