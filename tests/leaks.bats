# Many containers, and what is left of them: nothing.
load helpers

# The sanitizer build and the emulated test machine are many times slower: a tenth says as much there.
many() {
	local n=$1
	if [[ $CTR == */asan/* ]] || [[ -e /job ]]; then
		n=$((n / 10))
	fi
	echo "$n"
}

files_of_store() {
	find "$STORE/containers" "$STORE/names" "$STATE" -mindepth 1 | sort
}

@test "1,000 containers one after the other leave nothing: no file, mount, cgroup or process" {
	before=$(files_of_store)
	for ((i = 0; i < $(many 1000); i++)); do
		"$CTR" --root "$STORE" --state "$STATE" run --rm busybox true </dev/null 3>&- 4>&-
	done
	equal "$before" "$(files_of_store)"
	nothing_is_left
}

@test "100 containers at once leave nothing, and each says what it has to say" {
	before=$(files_of_store)
	mkdir "$BATS_TEST_TMPDIR/out"
	pids=()
	for ((i = 0; i < 100; i++)); do
		ctr_background run --rm busybox echo "I am $i" >"$BATS_TEST_TMPDIR/out/$i" 2>&1
		pids+=($!)
	done
	for pid in "${pids[@]}"; do
		wait "$pid"
	done
	for ((i = 0; i < 100; i++)); do
		equal "I am $i" "$(cat "$BATS_TEST_TMPDIR/out/$i")"
	done
	equal "$before" "$(files_of_store)"
	nothing_is_left
}

@test "runs killed with SIGKILL at random instants leave nothing that the next look does not clear away" {
	for ((i = 0; i < $(many 100); i++)); do
		"$CTR" --root "$STORE" --state "$STATE" run --rm busybox true </dev/null >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- 4>&- &
		victim=$!
		# Somewhere in its life of about 10 ms; the monitor and the first process are hit as well.
		sleep "0.00$((RANDOM % 10))"
		for pid in $(processes_of_store | cut -d' ' -f1) $victim; do
			kill -KILL "$pid" 2>/dev/null || true
		done
		wait "$victim" || true
	done
	eventually no_processes
	ctr ps -a
	ctr system check --repair
	run -0 ctr system check
	nothing_is_left
	equal hello "$(ctr run --rm busybox echo hello)"
}
