# shellcheck shell=bash
# start: how long one container takes from the command line to its end, against the peers.
: "${results:?}"

all_rows=(exec floor-bare floor unshare bwrap crun runc ctr-oci ctr podman)

# Adds a row to the driver's command line, if it is there and works.
add_row() {
	local row=$1 argv
	row_present "$row" || return 0
	if [[ $row == podman ]]; then
		podman_prepare || true
	fi
	if ! row_works "$row"; then
		note "row $row: does not work here: $(first_error)"
		# A peer that does not run is the host's matter; a row of ours is a failure.
		case $row in
		floor* | ctr*) broken=1 ;;
		esac
		return 0
	fi
	row_argv "$row" true
	driver_rows+=(::: "$row" "${argv[@]}")
}

scenario_start() {
	local row rows=("${all_rows[@]}") driver_rows=() baselines=() broken=0
	[[ -z $BENCH_ROWS ]] || IFS=, read -r -a rows <<<"$BENCH_ROWS"
	command -v runc >/dev/null || {
		note 'the bundle is what "runc spec" writes, and runc is missing'
		return 1
	}
	make_bundle true
	for row in "${rows[@]}"; do
		add_row "$row"
	done
	((${#driver_rows[@]} > 0)) || return 1
	for row in floor crun; do
		[[ " ${driver_rows[*]} " != *" ::: $row "* ]] || baselines+=(--ratio-to "$row")
	done
	drive "$BENCH_SCRATCH/start" "${baselines[@]}" "${driver_rows[@]}" || broken=1
	jq '{start: .}' "$BENCH_SCRATCH/start" >"$results/start.json"
	return "$broken"
}
