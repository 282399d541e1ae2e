# What isolation.bats, hardening.bats, oci.bats and machine-tests/ share. CTR and CTR_OCI name the programs
# under test (build/ctr and build/ctr-oci when unset); every store, state and bundle is in the test's own
# directory, and teardown removes whatever a test left there.

bats_require_minimum_version 1.5.0

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
CTR=${CTR:-$top/build/ctr}
CTR_OCI=${CTR_OCI:-$(dirname "$CTR")/ctr-oci}

# A hung command fails its test instead of the suite. The sanitizers and the emulated machine are slow.
limit=${CTR_TEST_LIMIT:-60}

ctr() {
    timeout -s KILL "$limit" "$CTR" --root "$BATS_FILE_TMPDIR/store" --state "$BATS_FILE_TMPDIR/state" "$@"
}

oci() {
    timeout -s KILL "$limit" "$CTR_OCI" --root "$BATS_TEST_TMPDIR/oci" "$@"
}

# Runs busybox's sh with the script that is the last argument; what stands before are options of `ctr run`.
in_container() {
    local script=${*: -1}
    ctr run --rm "${@:1:$#-1}" busybox sh -c "$script" </dev/null
}

# `bats` stops at the first command that fails, but not at a negated one.
refute() {
    if "$@"; then
        echo "succeeded, but must not: $*" >&2
        return 1
    fi
}

# Runs a command whose output goes by way of a file: a container that it leaves would keep `run` waiting.
quiet() {
    local status=0
    "$@" >"$BATS_TEST_TMPDIR/quiet" 2>&1 || status=$?
    cat "$BATS_TEST_TMPDIR/quiet"
    return "$status"
}

# has TEXT, lacks TEXT: of what `run` caught.
has() {
    [[ $output == *"$1"* ]] || {
        printf 'expected: %s\nin the output (status %s):\n%s\n' "$1" "$status" "$output" >&2
        return 1
    }
}

lacks() {
    [[ $output != *"$1"* ]] || {
        printf 'not expected: %s\nin the output:\n%s\n' "$1" "$output" >&2
        return 1
    }
}

# The status of the last `run`.
ended() {
    [[ $status -eq $1 ]] || {
        printf 'status %s, expected %s:\n%s\n' "$status" "$1" "$output" >&2
        return 1
    }
}

# An error is one sentence on one line that holds each of the texts.
one_sentence() {
    local text
    [[ $status -ne 0 && $status -lt 128 && ${#lines[@]} -eq 1 ]] || {
        printf 'not one line of error (status %s):\n%s\n' "$status" "$output" >&2
        return 1
    }
    for text in "$@"; do has "$text"; done
}

# Waits (up to the limit) until the command succeeds.
eventually() {
    local end=$((SECONDS + limit))
    until "$@"; do
        ((SECONDS < end)) || {
            echo "never succeeded: $*" >&2
            return 1
        }
        sleep 0.05
    done
}

# The busybox root filesystem as a directory, made once a file.
busybox_tree() {
    local tree=$BATS_FILE_TMPDIR/busybox tar
    [[ -d $tree ]] || {
        tar=$top/build/busybox.tar
        [[ ! -e $(dirname "$CTR")/busybox.tar ]] || tar=$(dirname "$CTR")/busybox.tar
        mkdir -p "$tree.new"
        tar -C "$tree.new" -xf "$tar"
        mv "$tree.new" "$tree"
    }
    echo "$tree"
}

# bundle [JQ-FILTER]: a bundle in $BUNDLE whose program is `true`, with no terminal, changed by the filter.
bundle() {
    BUNDLE=$(mktemp -d "$BATS_TEST_TMPDIR/bundle.XXXXXX")
    cp -a "$(busybox_tree)" "$BUNDLE/rootfs"
    chmod 0755 "$BUNDLE/rootfs"
    oci spec -b "$BUNDLE"
    config '.process.terminal = false | .process.args = ["true"]'
    [[ $# -eq 0 ]] || config "$@"
}

# Changes $BUNDLE/config.json by a jq filter.
config() {
    jq "$@" "$BUNDLE/config.json" >"$BUNDLE/config.new"
    mv "$BUNDLE/config.new" "$BUNDLE/config.json"
}

# A name for containers of ctr-oci: their cgroups share one parent on this machine.
new_id() {
    echo "t$$-$BATS_TEST_NUMBER-${1:-c}"
}

cgroup2_mount() {
    findmnt -n -t cgroup2 -o TARGET | head -n 1
}

# Nothing of container $1 is left: no state, no cgroup.
assert_gone() {
    [[ ! -e $BATS_TEST_TMPDIR/oci/$1 ]] || {
        echo "state of $1 left behind" >&2
        return 1
    }
    [[ -z $(cgroup2_mount) || ! -e $(cgroup2_mount)/ctr-oci/$1 ]] || {
        echo "cgroup of $1 left behind" >&2
        return 1
    }
}

status_of() {
    oci state "$1" | jq -r .status
}

has_status() {
    [[ $(status_of "$1") == "$2" ]]
}

# Needs COMMAND...: skips the test where one is missing.
needs() {
    local command
    for command; do
        type -P "$command" >/dev/null || skip "$command is not installed"
    done
}

# A static program from C on stdin, at $1.
compile() {
    local cc
    cc=$(type -P musl-gcc || type -P gcc) || skip "no C compiler is installed"
    "$cc" -static -O1 -w -x c -o "$1" -
}

remove_all() {
    local id
    if [[ -d $BATS_TEST_TMPDIR/oci ]]; then
        for id in $(oci list -q); do
            oci delete --force "$id" || true
        done
    fi
    if [[ -d $BATS_FILE_TMPDIR/state || -d $BATS_FILE_TMPDIR/store ]]; then
        ctr rm --force --all >/dev/null 2>&1 || true
    fi
}
