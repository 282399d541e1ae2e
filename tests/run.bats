#!/usr/bin/env bats
# `ctr run`: one command from an image to a running program.

load helpers

@test "run prints what the program prints" {
	run --separate-stderr ctr run busybox echo hello
	equal 0 "$status"
	equal hello "$output"
	equal '' "$stderr"
}

@test "standard output and standard error stay apart" {
	run --separate-stderr ctr run busybox sh -c 'echo out; echo err >&2'
	equal out "$output"
	equal err "$stderr"
}

@test "the exit status is the program's" {
	for code in 0 1 42 255; do
		run ctr run --rm busybox sh -c "exit $code"
		equal $code "$status"
	done
}

@test "a program that a signal killed gives 128 and the signal" {
	run ctr run --rm busybox sh -c 'sh -c "kill -KILL \$\$"; exit $?'
	equal 137 "$status"
	# PID 1 is only killed from outside.
	ctr run -d --name victim busybox sleep 1000
	ctr kill -s KILL victim
	equal 137 "$(ctr wait victim)"
}

@test "a command that is not in the image gives 127" {
	refuses 127 'nosuchcommand.*not found' ctr run busybox nosuchcommand
	refuses 127 '/no/such/path' ctr run busybox /no/such/path
	refuses 127 'nosuchcommand' ctr run -d busybox nosuchcommand
}

@test "a command that cannot be executed gives 126" {
	refuses 126 '/etc/passwd.*not executable' ctr run busybox /etc/passwd
	refuses 126 '/etc.*directory' ctr run busybox /etc
}

@test "without a command the image's own runs" {
	run ctr_stdin run -i --rm busybox <<<'echo from the shell'
	equal 0 "$status"
	equal 'from the shell' "$output"
}

@test "without -i there is no input" {
	run ctr_stdin run --rm busybox cat <<<'not for you'
	equal 0 "$status"
	equal '' "$output"
}

@test "with -i input reaches the program to its end, byte by byte" {
	head -c 3000000 /dev/urandom >"$work/in"
	ctr_stdin run -i --rm --log-driver none busybox cat <"$work/in" >"$work/out"
	cmp "$work/in" "$work/out"
}

@test "much output arrives whole, although the container has ended" {
	ctr run --rm busybox seq 200000 >"$work/out"
	seq 200000 | cmp - "$work/out"
}

@test "a container ends although nobody reads its output" {
	ctr run --name job busybox seq 100000 | head -n 1 >"$work/first"
	equal 1 "$(cat "$work/first")"
	equal 0 "$(ctr wait job)"
	equal 100000 "$(ctr logs --tail 1 job)"
}

@test "-d prints the id, and the container lives on" {
	run --separate-stderr ctr run -d --name web busybox sleep 1000
	equal 0 "$status"
	matches '^[0-9a-f]{64}$' "$output"
	equal "$output" "$(field web .Id)"
	equal running "$(field web .State.Status)"
}

@test "a container stays when it has ended" {
	ctr run --name job busybox sh -c 'echo done; exit 3' || true
	equal exited "$(field job .State.Status)"
	equal 3 "$(field job .State.ExitCode)"
	equal 'done' "$(ctr logs job)"
}

@test "--rm removes it at its end, in the foreground and in the background" {
	ctr run --rm --name job busybox true
	equal '' "$(ctr ps -aq)"
	ctr run -d --rm --name job busybox sh -c 'trap "exit 4" TERM; echo ready; while :; do sleep 1000 & wait; done'
	eventually log_has job ready
	ctr stop job
	equal '' "$(ctr ps -aq)"
	equal '' "$(ls "$STORE/containers")"
}

@test "--cidfile keeps the id" {
	ctr run --cidfile "$work/id" --name job busybox true
	equal "$(field job .Id)" "$(cat "$work/id")"
}

@test "-e sets variables, and without a value hands ours on" {
	OURS=mine run ctr run --rm -e A=1 -e 'B=two words' -e OURS -e UNSET_HERE busybox env
	matches $'(^|\n)A=1($|\n)' "$output"
	matches $'(^|\n)B=two words($|\n)' "$output"
	matches $'(^|\n)OURS=mine($|\n)' "$output"
	[[ $output != *UNSET_HERE* ]]
}

@test "our environment stays outside" {
	SECRET=hush run ctr run --rm busybox env
	[[ $output != *hush* ]]
	matches $'(^|\n)PATH=' "$output"
}

@test "--env-file reads variables, one a line" {
	printf '# a comment\n\nONE=1\nTWO=a b\n' >"$work/env"
	run ctr run --rm --env-file "$work/env" busybox sh -c 'echo "$ONE,$TWO"'
	equal '1,a b' "$output"
}

@test "-w sets the working directory, and makes it" {
	equal /tmp "$(ctr run --rm -w /tmp busybox pwd)"
	equal /new/deep "$(ctr run --rm -w /new/deep busybox pwd)"
}

@test "-u runs as a user of the image, by name or number" {
	equal '0:0' "$(ctr run --rm busybox sh -c 'echo $(id -u):$(id -g)')"
	ids=$(ctr run --rm busybox sh -c 'grep ^nobody: /etc/passwd | cut -d: -f3,4')
	equal "$ids" "$(ctr run --rm -u nobody busybox sh -c 'echo $(id -u):$(id -g)')"
	equal '1234:0' "$(ctr run --rm -u 1234 busybox sh -c 'echo $(id -u):$(id -g)')"
	equal '1234:4321' "$(ctr run --rm -u 1234:4321 busybox sh -c 'echo $(id -u):$(id -g)')"
	equal '1 7 9' "$(ctr run --rm -u 1:1 --group-add 7 --group-add 9 busybox id -G)"
}

@test "-h names the host; without it the short id does" {
	equal box "$(ctr run --rm -h box busybox hostname)"
	ctr run --name job busybox hostname >"$work/name"
	equal "$(field job .Id | cut -c1-12)" "$(cat "$work/name")"
}

@test "--add-host adds a line to /etc/hosts" {
	run ctr run --rm --add-host db:10.1.2.3 busybox cat /etc/hosts
	matches $'10\\.1\\.2\\.3[ \t]+db' "$output"
	matches 'localhost' "$output"
}

@test "--entrypoint stands before the arguments" {
	equal 'a b' "$(ctr run --rm --entrypoint /bin/echo busybox a b)"
}

@test "--ulimit and --umask hold" {
	equal 123 "$(ctr run --rm --ulimit nofile=123:200 busybox sh -c 'ulimit -n')"
	equal 200 "$(ctr run --rm --ulimit nofile=123:200 busybox sh -c 'ulimit -Hn')"
	equal 0077 "$(ctr run --rm --umask 077 busybox sh -c umask)"
}

@test "labels are found again by ps and inspect" {
	ctr create --name one -l team=blue -l 'note=two words' busybox true
	ctr create --name two -l team=red busybox true
	equal one "$(ctr ps -a --filter label=team=blue --format '{{.Names}}')"
	equal 'two words' "$(field one 'index .Config.Labels "note"')"
}

@test "ctr passes signals on to the program" {
	ctr_background run --name job busybox sh -c 'trap "exit 9" USR1; echo ready; while :; do sleep 1000 & wait; done'
	cli=$!
	eventually log_has job ready
	kill -USR1 $cli
	wait $cli && status=0 || status=$?
	equal 9 "$status"
}

@test "signals that the caller ignores are not ignored in the container" {
	run bash -c 'trap "" INT QUIT HUP TERM; exec "$@"' - "$CTR" --root "$STORE" --state "$STATE" run --rm busybox \
		grep SigIgn /proc/self/status 3>&- 4>&- </dev/null
	# 1 to 31; those above are the C library's own and whoever started us may have left them ignored.
	matches 'SigIgn:.[0-9a-f]{8}[08]0{7}$' "$output"
}

@test "a relative --root is as good as an absolute one" {
	cd "$SCRATCH"
	run timeout -s KILL 30 "$CTR" --root store --state state run --rm busybox echo hello </dev/null 3>&- 4>&-
	equal hello "$output"
}

@test "ps shows what runs, and with -a what has ended" {
	ctr run -d --name alive busybox sleep 1000
	ctr run --name dead busybox true
	equal alive "$(ctr ps --format '{{.Names}}')"
	equal $'alive\ndead' "$(ctr ps -a --format '{{.Names}}' | sort)"
	matches '"Names": "alive"' "$(ctr ps --format json)"
	equal "$(field alive .Id | cut -c1-12)" "$(ctr ps -q)"
	equal dead "$(ctr ps -a --filter status=exited --format '{{.Names}}')"
}

@test "every verb has help with an example" {
	verbs=$(ctr --help | sed -n 's/^  \([a-z]\+\( check\)\?\)  .*/\1/p')
	[ "$(wc -l <<<"$verbs")" -ge 20 ]
	while read -r verb; do
		run ctr $verb --help
		equal 0 "$status"
		matches "^Usage: ctr $verb" "$output"
		matches $'\nExamples?:\n  \\$ .*ctr ' "$output"
	done <<<"$verbs"
}
