#!/bin/bash
# Everything that can be said about the sources without running them: `make lint`. Names of checks as
# arguments run only those (format tidy cppcheck shell includes lengths).
set -uo pipefail
cd "$(dirname "$0")/.." || exit 2

mapfile -t sources < <(git ls-files -co --exclude-standard -- '*.[ch]' | while read -r f; do [[ ! -e $f ]] || echo "$f"; done)
mapfile -t programs < <(printf '%s\n' "${sources[@]}" | grep '\.c$' | grep -v '^tests/')
failed=()

tidy_some() {
	local out
	out=$(clang-tidy --quiet "$@" -- -std=gnu17 -D_GNU_SOURCE '-DCTR_VERSION="0"' -I. 2>/dev/null) ||
		{ printf '%s\n' "$out" && false; }
}
export -f tidy_some

# One file each: the analyzer of clang 14 carries mistakes over into a second one.
check_tidy() {
	# shellcheck disable=SC2016 # for the inner shell
	printf '%s\0' "${programs[@]}" | xargs -0 -n 1 -P "$(nproc)" bash -c 'tidy_some "$@"' tidy
}

check_format() {
	clang-format --dry-run --Werror "${sources[@]}"
}

check_cppcheck() {
	cppcheck --quiet --error-exitcode=1 --std=c11 --enable=warning,portability,performance --inline-suppr \
		-j "$(nproc)" --suppress=missingInclude --suppress=unknownMacro --suppress=syntaxError --suppress=internalAstError \
		--suppress=uninitvar --suppress=nullPointerArithmetic --suppress=preprocessorErrorDirective \
		-D_GNU_SOURCE '-DCTR_VERSION="0"' -U__clang__ -I. "${programs[@]}"
}

check_shell() {
	type -P shellcheck >/dev/null || { echo "shellcheck is not installed: skipped"; return 0; }
	local scripts
	mapfile -t scripts < <(git ls-files -co --exclude-standard | while read -r f; do
		[[ -f $f ]] && head -c 64 "$f" | head -n 1 | grep -aqE '^#!.*[/ ](ba)?sh( |$)' && echo "$f"
	done)
	shellcheck --external-sources "${scripts[@]}"
}

# DESIGN.md: cli -> runtime -> {cgroups, netns, images} -> base; vmm -> base only. A program of its own in a
# folder (runtime/ctr-seccomp) follows that folder's rule.
check_includes() {
	printf '%s\n' "${sources[@]}" | xargs grep -Hn '^#include "' | awk -F'[:"]' '
		BEGIN {
			may["base"] = "base"
			may["cgroups"] = "cgroups base"
			may["netns"] = "netns base"
			may["images"] = "images base"
			may["runtime"] = "runtime cgroups netns images base"
			may["vmm"] = "vmm base"
			may["cli"] = "cli runtime cgroups netns images base"
		}
		{
			split($1, from, "/")
			split($4, to, "/")
			if (!(from[1] in may))
				next
			if ($4 !~ /\//)
				printf "%s:%s: include \"%s\" by its path from the top\n", $1, $2, $4
			else if ((" " may[from[1]] " ") !~ (" " to[1] " "))
				printf "%s:%s: %s must not include %s\n", $1, $2, from[1], $4
			else
				next
			bad = 1
		}
		END { exit bad }'
}

# 800 lines a file, 60 a function (from its opening brace in the first column to the closing one; tests too).
check_lengths() {
	awk '
		FNR == 1 { if (last != "" && n > 800) { print last ": " n " lines (800)"; bad = 1 } last = FILENAME; open = 0 }
		{ n = FNR }
		/^{/ { open = FNR }
		/^}/ {
			if (open && FNR - open - 1 > 60) {
				print FILENAME ":" open ": a function of " FNR - open - 1 " lines (60)"
				bad = 1
			}
			open = 0
		}
		END { if (n > 800) { print last ": " n " lines (800)"; bad = 1 } exit bad }' "${sources[@]}"
}

for check in "${@:-includes lengths format shell cppcheck tidy}"; do
	for name in $check; do
		start=$(date +%s)
		if "check_$name"; then
			printf '  %-9s ok (%d s)\n' "$name" $(($(date +%s) - start))
		else
			printf '  %-9s FAILED\n' "$name"
			failed+=("$name")
		fi
	done
done
((${#failed[@]} == 0)) || { echo "lint: failed: ${failed[*]}"; exit 1; }
