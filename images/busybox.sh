#!/bin/sh
# Builds the root filesystem of the built-in image: images/busybox.sh OUT.tar
#
# Debian's static busybox under all its names, and the few files that programs expect. The archive is the
# same, byte for byte, whenever and by whomever it is built from the same busybox. $BUSYBOX names another
# one than /bin/busybox.
set -eu
umask 022
export LC_ALL=C

out=$1
busybox=${BUSYBOX:-/bin/busybox}
mtime=${SOURCE_DATE_EPOCH:-0}

[ -x "$busybox" ] || { echo "busybox.sh: $busybox is missing (package busybox-static)" >&2; exit 1; }
root=$(mktemp -d)
list=$root.list
trap 'rm -rf "$root" "$list" "$out.new"' EXIT
trap 'exit 1' HUP INT TERM

cd "$root"
mkdir -p bin sbin usr/bin usr/sbin usr/local/bin usr/local/sbin usr/share lib etc home root \
	var/log var/lib var/cache var/spool proc sys dev run tmp var/tmp mnt
ln -s ../run var/run
ln -s spool/mail var/mail
mkdir var/spool/mail

cp "$busybox" bin/busybox
# Links are relative, so that they also work where the root is not "/". linuxrc is for an initrd.
"$busybox" --list-full | sort | while read -r path; do
	case $path in
	bin/busybox | linuxrc | */linuxrc) continue ;;
	usr/*) target=../../bin/busybox ;;
	bin/*) target=busybox ;;
	*/*) target=../bin/busybox ;;
	*) continue ;;
	esac
	mkdir -p "${path%/*}"
	ln -sf "$target" "$path"
done

cat >etc/passwd <<'END'
root:x:0:0:root:/root:/bin/sh
daemon:x:1:1:daemon:/usr/sbin:/bin/false
bin:x:2:2:bin:/bin:/bin/false
sys:x:3:3:sys:/dev:/bin/false
mail:x:8:8:mail:/var/spool/mail:/bin/false
www-data:x:33:33:www-data:/var/www:/bin/false
nobody:x:65534:65534:nobody:/home:/bin/false
END
cat >etc/group <<'END'
root:x:0:
daemon:x:1:
bin:x:2:
sys:x:3:
adm:x:4:
tty:x:5:
disk:x:6:
mail:x:8:
wheel:x:10:root
shadow:x:42:
utmp:x:43:
www-data:x:33:
users:x:100:
nogroup:x:65534:
END
# No account has a password.
sed 's/:.*/:*::0:99999:7:::/' etc/passwd >etc/shadow
echo '/bin/sh' >etc/shells
cat >etc/profile <<'END'
export PATH="${PATH:-/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin}"
if [ "$(id -u)" = 0 ]; then PS1='\h:\w# '; else PS1='\h:\w$ '; fi
export PS1
for file in /etc/profile.d/*.sh; do
	if [ -r "$file" ]; then . "$file"; fi
done
unset file
END
mkdir etc/profile.d
cat >etc/nsswitch.conf <<'END'
passwd: files
group: files
hosts: files dns
END
printf '127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n' >etc/hosts
echo localhost >etc/hostname
: >etc/resolv.conf
ln -s ../proc/self/mounts etc/mtab

# Not what the umask or the builder's user made of them.
chmod -R u=rwX,go=rX .
chmod 0755 bin/busybox
chmod 0640 etc/shadow
chmod 0700 root
chmod 01777 tmp var/tmp
chmod 0555 proc sys
cd - >/dev/null
(cd "$root" && find . | sort) >"$list"
tar --create --file "$out.new" --format=posix --pax-option=delete=atime,delete=ctime,delete=mtime \
	--mtime="@$mtime" --owner=0 --group=0 --numeric-owner --no-recursion --directory "$root" --files-from "$list"
mv "$out.new" "$out"
