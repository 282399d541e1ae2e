#!/usr/bin/env bats
# Terminals: -t gives the program one, and ours is joined to it.

load helpers

setup() {
	work=$BATS_TEST_TMPDIR
	screen=$work/screen
	: >"$screen"
}

teardown() {
	[ -z "${terminal:-}" ] || { exec 9>&-; kill -KILL "$terminal" 2>/dev/null || true; }
	remove_containers
}

# ctr on a terminal of its own, 33 lines by 77 columns: what is typed goes in through `type_in`, what is
# shown is in $screen, and the status comes from `terminal_status`.
on_terminal() {
	local command
	printf -v command '%q ' "$CTR" --root "$STORE" --state "$STATE" "$@"
	mkfifo "$work/keys"
	exec 9<>"$work/keys"
	script -qefc "stty rows 33 cols 77; tty >$work/tty; $command; echo \$? >$work/status; stty -a >$work/after" /dev/null \
		<"$work/keys" >"$screen" 2>&1 3>&- 4>&- 9>&- &
	terminal=$!
}

type_in() {
	printf "$1" >&9
}

shows() {
	tr -d '\r' <"$screen" | grep -q -- "$1"
}

terminal_status() {
	eventually test -s "$work/after"
	cat "$work/status"
}

@test "with -t the program has a terminal, without it has none" {
	run ctr run --rm busybox tty
	equal 'not a tty' "$output"
	run ctr run --rm -t busybox tty
	equal '/dev/pts/0' "${output%$'\r'}"
}

@test "-t works without a terminal of ours" {
	run ctr run --rm -t busybox sh -c 'echo out; echo err >&2; exit 5'
	equal 5 "$status"
	equal $'out\nerr' "$(tr -d '\r' <<<"$output")"
}

@test "the terminal is the container's own" {
	run ctr run --rm -t busybox sh -c 'ls -1 /dev/pts; ls -l /dev/console; cat /proc/self/stat | cut -d" " -f7'
	output=$(tr -d '\r' <<<"$output")
	matches $'(^|\n)0\nptmx' "$output"
	matches '/dev/console' "$output"
	[ "$(tail -n 1 <<<"$output")" != 0 ]
}

@test "-it joins ours to it: typing goes in, output comes out" {
	on_terminal run -it --name t busybox sh -c 'echo "name?"; read name; echo "hello $name"'
	eventually shows 'name?'
	type_in 'you\r'
	eventually shows '^hello you'
	equal 0 "$(terminal_status)"
}

@test "the exit status comes through" {
	on_terminal run -it --rm busybox sh -c 'exit 42'
	equal 42 "$(terminal_status)"
}

@test "the window has our size, and follows it" {
	on_terminal run -it --name t busybox sh -c 'trap "stty size" WINCH; echo ready; stty size; while :; do sleep 1000 & wait; done'
	eventually shows '^33 77'
	stty -F "$(cat "$work/tty")" rows 44 cols 99
	eventually shows '^44 99'
	ctr kill t
	equal 137 "$(terminal_status)"
}

@test "Ctrl-C goes to the program, not to ctr" {
	on_terminal run -it --name t busybox sh -c 'trap "echo interrupted; exit 9" INT; echo ready; while :; do sleep 1000; done'
	eventually shows ready
	type_in '\003'
	eventually shows interrupted
	equal 9 "$(terminal_status)"
}

@test "Ctrl-Z and Ctrl-\\ go to the program, too" {
	on_terminal run -it --name t busybox sh -c 'trap "echo quit" QUIT; stty -isig; echo ready; head -c 1 | od -An -tx1'
	eventually shows ready
	type_in '\032\r'
	eventually shows '^ 1a'
	equal 0 "$(terminal_status)"
}

@test "Ctrl-P Ctrl-Q leaves it running, and attach comes back" {
	on_terminal run -it --name t busybox sh -c 'echo ready; read line; echo "got $line"; exit 3'
	eventually shows ready
	type_in '\020\021'
	equal 0 "$(terminal_status)"
	container_is t running
	exec 9>&-
	rm "$work/keys" "$work/after"
	on_terminal attach t
	eventually test -s "$work/tty"
	type_in 'again\r'
	eventually shows '^got again'
	equal 3 "$(terminal_status)"
}

@test "--detach-keys chooses what leaves it running" {
	ctr run -dit --name t busybox sh -c 'while read line; do echo "got $line"; done'
	on_terminal attach --detach-keys 'ctrl-a,x' t
	type_in 'one\r'
	eventually shows '^got one'
	type_in '\001x'
	equal 0 "$(terminal_status)"
	container_is t running
	refuses 125 'detach-keys' ctr attach --detach-keys ctrl-ctrl t
}

@test "our terminal is as before when ctr has ended" {
	on_terminal run -it --rm busybox true
	equal 0 "$(terminal_status)"
	matches '[^-]icanon' "$(cat "$work/after")"
	matches '[^-]isig' "$(cat "$work/after")"
	matches '[^-]opost' "$(cat "$work/after")"
}

@test "exec -it gives a terminal of its own" {
	ctr run -d --name web busybox sleep 100000
	on_terminal exec -it web sh -c 'tty; stty size; read line; echo "got $line"; exit 4'
	eventually shows '^/dev/pts/'
	eventually shows '^33 77'
	type_in 'text\r'
	eventually shows '^got text'
	equal 4 "$(terminal_status)"
}

@test "what a program writes to its terminal is in the log" {
	ctr run -d -t --name t busybox sh -c 'echo one; echo two'
	ctr wait t
	equal $'one\ntwo' "$(ctr logs t | tr -d '\r')"
}

@test "closing our terminal does not end the container" {
	on_terminal run -it --name t busybox sh -c 'echo ready; while :; do sleep 1000; done'
	eventually shows ready
	exec 9>&-
	kill -KILL $terminal
	eventually gone $terminal
	container_is t running
}
