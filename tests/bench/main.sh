#!/usr/bin/env bash
# What happens on the stage: prepares what all scenarios share, runs them, writes the results.
#
#     main.sh SCENARIO...        (started by run, through stage.sh)
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
results=$BENCH_SCRATCH/results # one JSON object per part, merged at the end
failures=0
mkdir "$results"

# shellcheck source=tests/bench/lib.sh
. "$here/lib.sh"
# shellcheck source=tests/bench/rows.sh
. "$here/rows.sh"

# Containers do not outlive the benchmark, however it ends.
trap 'ctr_remove_all || true' EXIT
trap 'exit 143' TERM HUP
trap 'exit 130' INT

ip link set lo up
machine_json >"$results/machine.json"
jq -r '.machine | "\(.cpu), \(.cores) cores, Linux \(.kernel)"' "$results/machine.json"
make_rootfs
if [[ -x $CTR ]]; then
	ctr_prepare
fi

for scenario in "$@"; do
	printf '\n== %s\n' "$scenario"
	# shellcheck source=/dev/null
	. "$here/scenarios/$scenario.sh"
	# Not "scenario || ...": errexit would then be off inside of it.
	set +e
	(
		set -e
		"scenario_$scenario"
	)
	status=$?
	set -e
	if ((status != 0)); then
		note "$scenario: failed"
		failures=$((failures + 1))
	fi
done

jq -n 'reduce inputs as $part ({}; . + $part)' "$results"/*.json >"$results/all"
jq -r -f "$here/markdown.jq" "$results/all" >"$results/markdown"
write_out "$BENCH_JSON" "$results/all"
write_out "$BENCH_MARKDOWN" "$results/markdown"
((failures == 0))
