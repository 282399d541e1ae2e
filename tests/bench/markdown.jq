# The table of docs/performance.md from the results of tests/bench/run.

def ms: . * 100 | round / 100;
def times: if . == null then "" else "\(. * 100 | round / 100)×" end;

(.machine | "\(.cpu), \(.cores) cores, Linux \(.kernel); \(.versions | join(", "))."),
(select(.start) | .start |
	"",
	"| row | runs | min ms | median ms | p95 ms | to floor | to crun | CPU ms | peak RSS KiB | system calls |",
	"|---|---|---|---|---|---|---|---|---|---|",
	(.rows[] | if .failure then "| \(.name) | failed: \(.failure) |" else
		"| \(.name) | \(.runs) | \(.min_ms | ms) | \(.median_ms | ms) | \(.p95_ms | ms) | \(.ratio_to.floor | times) | \(.ratio_to.crun | times) | \(.cpu_ms | ms) | \(.rss_kib) | \(.syscalls // "") |"
	end)),
(select(.loaded) | .loaded |
	"",
	"| containers running | ctr median ms | floor median ms |",
	"|---|---|---|",
	"| 0, before | \(.ctr.before | ms) | \(.floor.before | ms) |",
	"| \(.containers) | \(.ctr.during | ms) | \(.floor.during | ms) |",
	"| 0, after | \(.ctr.after | ms) | \(.floor.after | ms) |",
	"| ratio | \(.ctr.ratio | times) | \(.floor.ratio | times) |"),
(select(.monitor) | "", "Private memory of an idle container's monitor: \(.monitor.private_kib) KiB."),
(select(.leaks) | .leaks | "",
	"After \(.sequential) runs one after the other and \(.concurrent) at once, " + if .leaked then "resources were left behind." else "nothing was left behind." end)
