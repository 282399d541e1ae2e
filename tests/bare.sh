#!/bin/bash
# bare.sh [TARGET...]: proves that the README's commands work on a Debian 12 that has nothing but git and
# make: makes such a root file system, copies the tree into it, and runs `make TARGET` (demo) in there.
#
# Not part of `make test`: it downloads all packages again. Needs root, mmdebstrap and Debian's mirrors.
# TARGETs follow each other in one root: `tests/bare.sh demo test`.
set -euo pipefail

top=$(cd "$(dirname "$0")/.." && pwd)
suite=bookworm
(($# > 0)) || set -- demo
((EUID == 0)) || { echo 'bare.sh: needs root' >&2; exit 1; }

work=$(mktemp -d "${TMPDIR:-/tmp}/ctr-bare.XXXXXX")
trap 'rm -rf --one-file-system "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
root=$work/root

# The host's own Debian sources, whichever format they are written in, and its way to them.
sources=$(apt-get indextargets --format "deb \$(REPO_URI) \$(RELEASE) \$(COMPONENT)" \
	'Created-By: Packages' 'Origin: Debian' | awk -v suite="$suite" 'index($3, suite) == 1')
options=$(echo 'Acquire::Retries "3";'; apt-config dump | grep -E '^Acquire::https?::Proxy ' || true)
echo "== a bare Debian 12: minbase, git, make"
mmdebstrap --quiet --variant=minbase --format=directory --include=git,make,ca-certificates \
	--aptopt="$options" "$suite" "$root" - <<<"$sources"
cp -L /etc/resolv.conf /etc/hosts "$root/etc/"

mkdir "$root/src"
tar -C "$top" -c --exclude=./build --exclude=./.git . | tar -C "$root/src" -x --no-same-owner

# Pivoted, not chrooted: user namespaces cannot be made in a chroot.
cat >"$work/enter" <<'END'
set -e
root=$1
shift
mount --make-rprivate /
mount --bind "$root" "$root"
for dir in dev sys; do
	mount --rbind "/$dir" "$root/$dir"
	mount --make-rslave "$root/$dir"
done
mount -t proc proc "$root/proc"
mount -t tmpfs tmpfs "$root/run"
cd "$root"
mkdir -p mnt/host
pivot_root . mnt/host
umount -l /mnt/host
cd /src
for target; do
	echo "== make $target"
	env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=dumb \
		make "$target"
done
END
unshare --mount --pid --fork --kill-child bash "$work/enter" "$root" "$@"
echo "bare.sh: passed: $*"
