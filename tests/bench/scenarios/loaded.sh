# shellcheck shell=bash
# loaded: whether a start gets slower when many containers run. Interleaving is not possible here, so
# it is measured before, during and after, and the ratio is to the faster of the two without them; the
# floor row, measured with it, shows how much of a change is the kernel's or the machine's.
: "${results:?}"

measure_phase() {
	local row argv rows=()
	for row in floor ctr; do
		row_argv "$row" true
		rows+=(::: "$row" "${argv[@]}")
	done
	printf -- '-- %s\n' "$1"
	drive "$BENCH_SCRATCH/loaded-$1" --no-strace "${rows[@]}"
}

scenario_loaded() {
	local left broken=0
	have_ctr loaded || return 0
	measure_phase before || broken=1
	ctr_start_sleepers b "$BENCH_CONTAINERS"
	measure_phase during || broken=1
	ctr_remove_all || broken=1
	left=$(ctr_ids | wc -l)
	if ((left > 0)); then
		note "loaded: $left containers are left after rm -f"
		broken=1
	fi
	measure_phase after || broken=1

	jq -n --argjson containers "$BENCH_CONTAINERS" '
		def median($phase; $row): $phase.rows[] | select(.name == $row) | .median_ms;
		[inputs] as [$before, $during, $after] |
		{loaded: ({containers: $containers} + ([("floor", "ctr") as $row | {($row): {
			before: median($before; $row), during: median($during; $row), after: median($after; $row)
		}}] | add | map_values(. + {ratio: (.during / ([.before, .after] | min))})))}
	' "$BENCH_SCRATCH"/loaded-{before,during,after} >"$results/loaded.json"
	jq -r '.loaded | .containers as $n | ("ctr", "floor") as $row | .[$row] |
		map_values(. * 100 | round / 100) |
		"\($row): \(.before) ms before, \(.during) with \($n) running, \(.after) after: ratio \(.ratio)"
	' "$results/loaded.json"
	return "$broken"
}
