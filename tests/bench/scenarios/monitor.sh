# shellcheck shell=bash
# monitor: memory that is there only because one more idle container runs: the private pages of its
# monitor process. Several run, so that what they share counts as shared.
: "${results:?}"

smaps_json() {
	jq -R -n '[inputs | capture("^(?<key>[A-Za-z_]+): +(?<kib>[0-9]+) kB$")? | {(.key): (.kib | tonumber)}] |
		add | {Rss, Pss, Shared_Clean, Shared_Dirty, Private_Clean, Private_Dirty} |
		. + {private: (.Private_Clean + .Private_Dirty)}' <"/proc/$1/smaps_rollup"
}

# The private pages by mapping: where a saving would have to come from.
private_by_mapping() {
	awk '
		$1 ~ /^[0-9a-f]+-[0-9a-f]+$/ { name = (NF > 5 ? $6 : "[anonymous]") " " $2 }
		/^Private_(Clean|Dirty):/ { sum[name] += $2 }
		END { for (name in sum) if (sum[name]) printf "    %6d KiB  %s\n", sum[name], name }
	' "/proc/$1/smaps" | sort -rn
}

# Page tables and the kernel stack are private too, but the kernel's.
print_monitor() {
	local tables
	tables=$(sed -n 's/^VmPTE:[[:space:]]*//p' "/proc/$2/status")
	jq -r --arg name "$1" '"\($name): private \(.private) KiB = \(.Private_Dirty) dirty + \(.Private_Clean) clean; " +
		"shared \(.Shared_Clean + .Shared_Dirty), proportional \(.Pss), resident \(.Rss)"' <<<"$3"
	printf '    page tables %s, %s threads\n' "$tables" "$(find "/proc/$2/task" -mindepth 1 -maxdepth 1 | wc -l)"
}

scenario_monitor() {
	local name pid json all=()
	have_ctr monitor || return 0
	ctr_start_sleepers m 3
	for name in m1 m2 m3; do
		pid=$(ctr inspect --format json "$name" | jq 'if type == "array" then .[0] else . end | .monitorPid // 0')
		if ((pid == 0)); then
			note "monitor: ctr inspect --format json $name has no monitorPid"
			ctr_remove_all
			return 1
		fi
		json=$(smaps_json "$pid")
		print_monitor "$name" "$pid" "$json"
		all+=("$json")
	done
	private_by_mapping "$pid"
	jq -n '{monitor: {containers: [inputs]}} | .monitor.private_kib = ([.monitor.containers[].private] | max)' \
		<<<"${all[*]}" >"$results/monitor.json"
	ctr_remove_all
}
