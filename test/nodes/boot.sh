#!/bin/bash
# boot.sh NAME DISK   boots one machine: a control group and namespaces of its own, then, inside, its file system and systemd.
set -euo pipefail
n=$1 d=$2
is_v2() { [ "$(stat -fc %T /sys/fs/cgroup)" = cgroup2fs ]; }

if [ "${3:-}" != inside ]; then
  if is_v2; then
    g=/sys/fs/cgroup/drydock-$n
    mkdir -p "$g"
    echo $$ > "$g/cgroup.procs"
  else
    for c in cpu cpuacct cpuset memory devices freezer blkio pids systemd unified; do
      [ -d "/sys/fs/cgroup/$c" ] || continue
      g=/sys/fs/cgroup/$c/drydock-$n
      mkdir -p "$g"
      # A cpuset is born without processors and takes no process; children of clones inherit.
      if [ "$c" = cpuset ]; then
        echo 1 > "$g/cgroup.clone_children"
        cat /sys/fs/cgroup/cpuset/cpuset.cpus > "$g/cpuset.cpus"
        cat /sys/fs/cgroup/cpuset/cpuset.mems > "$g/cpuset.mems"
      fi
      echo $$ > "$g/cgroup.procs"
    done
  fi
  exec nsenter --net="/run/netns/drydock-$n" unshare --mount --uts --ipc --pid --cgroup --fork --kill-child \
    bash "$0" "$n" "$d" inside
fi

r=$d/root
mount --make-rprivate /
# This /proc is still the outer one, so this is the outer ID of this process. Read by the shell itself: a child has another.
while read -r k v _; do if [ "$k" = NSpid: ]; then echo "$v" > "$d/init.pid"; fi; done < /proc/self/status
hostname "$n"
mount -t tmpfs -o mode=755 tmpfs "$r"
mkdir -p "$r"/{usr,etc,var,opt,proc,sys,dev,run,tmp,root,mnt/share,home,srv}
for l in bin sbin lib lib32 lib64 libx32; do if [ -L "/$l" ]; then ln -s "usr/$l" "$r/$l"; fi; done
for b in etc var opt; do mount --bind "$d/$b" "$r/$b"; done
# Its own copy of what is installed, and of what is known to be, from the first write on.
mount -t overlay -o "lowerdir=/usr,upperdir=$d/usr,workdir=$d/usr-work" overlay "$r/usr"
mount -t overlay -o "lowerdir=/var/lib/dpkg,upperdir=$d/dpkg,workdir=$d/dpkg-work" overlay "$r/var/lib/dpkg"
mount -t proc proc "$r/proc"
mount -t sysfs sysfs "$r/sys"
if is_v2; then
  mount -t cgroup2 cgroup2 "$r/sys/fs/cgroup"
else
  mount -t tmpfs -o mode=755 tmpfs "$r/sys/fs/cgroup"
  for c in cpu cpuacct cpuset memory devices freezer blkio pids; do
    mkdir "$r/sys/fs/cgroup/$c"
    mount -t cgroup -o "$c" cgroup "$r/sys/fs/cgroup/$c"
  done
  mkdir "$r/sys/fs/cgroup/systemd" "$r/sys/fs/cgroup/unified"
  mount -t cgroup -o none,name=systemd cgroup "$r/sys/fs/cgroup/systemd"
  mount -t cgroup2 cgroup2 "$r/sys/fs/cgroup/unified"
fi
mount -t tmpfs -o mode=755 tmpfs "$r/dev"
for x in null zero full random urandom tty kmsg fuse; do
  [ -e "/dev/$x" ] || continue
  touch "$r/dev/$x"
  mount --bind "/dev/$x" "$r/dev/$x"
done
mkdir "$r/dev/pts" "$r/dev/shm" "$r/dev/mqueue"
mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts "$r/dev/pts"
ln -s pts/ptmx "$r/dev/ptmx"
mount -t tmpfs tmpfs "$r/dev/shm"
ln -s /proc/self/fd "$r/dev/fd"
for i in 0:stdin 1:stdout 2:stderr; do ln -s "fd/${i%:*}" "$r/dev/${i#*:}"; done
mount -t tmpfs -o mode=755 tmpfs "$r/run"
mount -t tmpfs -o mode=1777 tmpfs "$r/tmp"
# What the kubelet reports as the boot ID.
mount --bind "$d/boot_id" "$r/proc/sys/kernel/random/boot_id"
# The kubelet sets these for a whole machine, which is not its own: it gets files instead.
for k in vm/overcommit_memory vm/panic_on_oom kernel/panic kernel/panic_on_oops kernel/keys/root_maxkeys kernel/keys/root_maxbytes; do
  cat "/proc/sys/$k" > "$d/sysctl/${k//\//.}"
  mount --bind "$d/sysctl/${k//\//.}" "$r/proc/sys/$k"
done
# A privileged pod must not restart the machine that all this runs on.
if [ -e "$r/proc/sysrq-trigger" ]; then mount --bind /dev/null "$r/proc/sysrq-trigger"; fi
mount --bind "$d/../share" "$r/mnt/share"
mount -o remount,bind,ro "$r/mnt/share"
mkdir "$r/.old"
cd "$r"
pivot_root . .old
# Volumes of pods need mounts that are seen in both directions.
mount --make-rshared /
umount -l /.old
rmdir /.old
exec env -i container=drydock PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --system
