#!/bin/sh
# Run FOLDER/steps as root in a throwaway copy of this machine: throwaway.sh FOLDER sh|systemd PYTHON LIBRARIES SOURCE
#
# The copy is an overlay of / in namespaces of its own, whose writes are in memory: nothing of it stays. It shares this
# machine's network, where the emulator is, and FOLDER, as /shared. In /opt are Python, its libraries and the sources
# (read-only), since units hide /root, /home and /tmp, where those of a developer are; /opt/rotator is rotator as pip
# would install it. With `systemd`, systemd is the first process, and runs the steps as its only service but the
# journal; else they are the first process themselves. 77 is the exit code where this machine can't make such a copy.
set -eu
if [ "${1:-}" = inside ]; then
	shift
	trap 'exit 77' EXIT
else
	exec unshare --mount --propagation private --uts --ipc sh "$0" inside "$@"
fi
folder=$1 init=$2 python=$3 libraries=$4 source=$5
here=$folder/copy

mkdir -p "$here/memory"
mount -t tmpfs tmpfs "$here/memory"
mkdir "$here/memory/upper" "$here/memory/work" "$here/memory/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$here/memory/upper,workdir=$here/memory/work" "$here/memory/root"
root=$here/memory/root

rm -rf "$root/etc/systemd/system" "$root/var/lib/systemd/timers" "$root"/lib/systemd/system/*.wants "$root"/etc/cron.d/*
mkdir -p "$root/etc/systemd/system" "$root/shared" "$root/opt/python" "$root/opt/libraries" "$root/opt/source" \
	"$root/lib/systemd/system/sockets.target.wants"
ln -s ../systemd-journald.socket "$root/lib/systemd/system/sockets.target.wants/"
mount --bind "$folder" "$root/shared"
for bound in "$python:python" "$libraries:libraries" "$source:source"; do
	mount --bind "${bound%:*}" "$root/opt/${bound##*:}"
	mount -o remount,bind,ro "$root/opt/${bound##*:}"
done
for memory in run tmp dev; do mount -t tmpfs -o mode=1777 tmpfs "$root/$memory"; done
chmod 755 "$root/run" "$root/dev"
mkdir "$root/dev/shm" "$root/dev/pts"
mount -t tmpfs tmpfs "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
for device in null zero full random urandom tty; do
	touch "$root/dev/$device"
	mount --bind "/dev/$device" "$root/dev/$device"
done
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
mount -t sysfs -o ro sysfs "$root/sys"

echo /opt/python/lib >"$root/etc/ld.so.conf.d/python.conf"
chroot "$root" ldconfig
rm -rf "$root/opt/rotator"
mkdir -p "$root/opt/rotator/bin" "$root/opt/rotator/lib"
ln -s "/opt/python/bin/$(basename "$(readlink -f "$python/bin/python3")")" "$root/opt/rotator/bin/python"
cat >"$root/opt/rotator/bin/rotator" <<'SCRIPT'
#!/opt/rotator/bin/python -I
import sys
sys.path[1:1] = ["/opt/source", "/opt/source/emulator", "/opt/libraries"]
from rotator.cli import main
main()
SCRIPT
chmod 755 "$root/opt/rotator/bin/rotator"

if [ "$init" = sh ]; then
	trap - EXIT
	# shellcheck disable=SC2016 # the inner shell expands it
	exec unshare --pid --fork --kill-child sh -c '
		mount -t proc proc "$1/proc"
		exec chroot "$1" env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin sh /shared/steps
	' sh "$root"
fi

cat >"$root/etc/systemd/system/steps.service" <<'UNIT'
[Unit]
Wants=basic.target systemd-journald.service
SuccessAction=exit-force
FailureAction=exit-force
[Service]
Type=oneshot
ExecStart=sh /shared/steps
StandardOutput=append:/shared/said
StandardError=append:/shared/said
UNIT

# A control group of its own, so that systemd sees no other.
mkdir "$here/groups"
mount -t cgroup2 none "$here/groups"
group=$here/groups/throwaway-$$
mkdir "$group"
trap - EXIT
code=0
# shellcheck disable=SC2016 # the inner shells expand it
unshare --pid --fork --kill-child sh -c '
	echo 0 >"$1/cgroup.procs"
	exec unshare --cgroup --mount --propagation unchanged sh -c '\''
		mount -t proc proc "$1/proc" && mount -t cgroup2 none "$1/sys/fs/cgroup" && cd "$1" && pivot_root . mnt &&
			umount --lazy mnt && mount --make-rshared / &&
			exec env -i container=throwaway /lib/systemd/systemd --unit=steps.service --show-status=0 --log-target=null
		exit 77
	'\'' sh "$2"
' sh "$group" "$root" </dev/null || code=$?
find "$group" -depth -type d -exec rmdir {} +
exit "$code"
