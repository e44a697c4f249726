#!/bin/bash
# Machines without a hypervisor: systemd as process 1 of namespaces of its own, with its own /etc, /var and /run, a /usr that is
# copied where it is written to, containerd, a network card and a boot ID. $DIR is where their disks are; $DIR/machines has a line
# for each: name, address, range of its pods.
#   machine.sh switch        the network between them, and this machine's own leg of it
#   machine.sh supervise NAME   lays out the disk if there is none, boots, and boots again when process 1 asks for a reboot;
#                            the machine has no power any longer when this process ends, however it ends
#   machine.sh exec NAME COMMAND…
#   machine.sh cut NAME      pulls its network cable
#   machine.sh endpoint ADDRESS   one more address on the switch, which is no machine's
#   machine.sh clear         ends all of them and takes away whatever they are made of
set -euo pipefail
# sysctl and others are where not everybody who is root looks.
PATH=$PATH:/usr/sbin:/sbin
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
: "${DIR:?where the disks are}"
SWITCH=drydock-switch
LEG=drydock0
NET=10.210.0
GROUPS_V1="cpu cpuacct cpuset memory devices freezer blkio pids systemd unified"

address_of() { awk -v n="$1" '$1 == n { print $2 }' "$DIR/machines"; }
init_of() {
  local p
  p=$(cat "$DIR/$1/init.pid" 2> /dev/null) && [ -d "/proc/$p" ] && echo "$p"
}

# A bridge in a namespace of its own: the routes and the firewall of this machine are not touched, and no packet can leave.
switch_up() {
  ip netns add $SWITCH
  ip -n $SWITCH link add br0 type bridge
  ip -n $SWITCH addr add $NET.1/24 dev br0
  ip -n $SWITCH link set lo up
  ip -n $SWITCH link set br0 up
  ip netns exec $SWITCH sysctl -qw net.ipv4.ip_forward=0
  ip netns exec $SWITCH sysctl -qw net.bridge.bridge-nf-call-iptables=0 2> /dev/null || true
  ip link add $LEG type veth peer name leg netns $SWITCH
  ip -n $SWITCH link set leg master br0 up
  ip addr add $NET.254/24 dev $LEG
  ip link set $LEG up
}

lay_out() {
  local n=$1 d=$DIR/$1 u
  mkdir -p "$d"/{root,opt,sysctl,usr,usr-work,dpkg,dpkg-work} "$d"/var/{lib/dpkg,log,tmp,spool,cache/apt/archives/partial,lib/apt/lists/partial}
  cp -a /etc "$d/etc"
  ln -s /run "$d/var/run"
  chmod 1777 "$d/var/tmp"
  echo "$n" > "$d/etc/hostname"
  printf '127.0.0.1 localhost\n%s %s\n' "$(address_of "$n")" "$n" > "$d/etc/hosts"
  # Nobody answers there; without one CoreDNS does not start.
  rm -f "$d/etc/resolv.conf"
  echo "nameserver $NET.1" > "$d/etc/resolv.conf"
  # Without an ID systemd takes it for a first boot, and enables everything that is installed here.
  tr -d - < /proc/sys/kernel/random/uuid > "$d/etc/machine-id"
  : > "$d/etc/fstab"
  rm -rf "$d"/etc/apt/sources.list "$d"/etc/apt/sources.list.d/* "$d"/etc/systemd/system/* "$d"/etc/kubernetes "$d"/etc/cni
  mkdir -p "$d/etc/systemd/system/multi-user.target.wants"
  ln -s /lib/systemd/system/containerd.service "$d/etc/systemd/system/multi-user.target.wants/"
  ln -s /lib/systemd/system/multi-user.target "$d/etc/systemd/system/default.target"
  for u in systemd-{udevd,udev-trigger,logind,networkd,resolved,timesyncd,remount-fs,modules-load,sysctl}.service \
    getty@.service console-getty.service e2scrub_reap.service getty.target systemd-udevd-{kernel,control}.socket \
    dev-hugepages.mount sys-kernel-{debug,tracing,config}.mount sys-fs-fuse-connections.mount \
    proc-sys-fs-binfmt_misc.automount packagekit.service polkit.service apt-daily.timer apt-daily-upgrade.timer \
    docker.service docker.socket postgresql.service cni-dhcp.service cni-dhcp.socket; do
    ln -s /dev/null "$d/etc/systemd/system/$u"
  done
  # Else a kubelet starts before containerd after a boot, finds no socket, and waits its ten seconds.
  mkdir -p "$d/etc/systemd/system/kubelet.service.d"
  printf '[Unit]\nAfter=containerd.service\n' > "$d/etc/systemd/system/kubelet.service.d/20-order.conf"
  # What the one who asked for the machine wants in it.
  [ ! -d "$DIR/overlay" ] || cp -a "$DIR/overlay/." "$d/"
  [ ! -f "$d/etc/cni/net.d/10-bridge.conflist" ] || sed -i "s#@PODS@#$(awk -v n="$n" '$1 == n { print $3 }' "$DIR/machines")#" "$d/etc/cni/net.d/10-bridge.conflist"
}

# Made anew at each boot, as the network of a machine is.
wire() {
  local n=$1 name address pods
  ip netns add "drydock-$n"
  ip link add eth0 netns "drydock-$n" type veth peer name "p-$n" netns $SWITCH
  ip -n $SWITCH link set "p-$n" master br0 up
  ip -n "drydock-$n" addr add "$(address_of "$n")/24" dev eth0
  ip -n "drydock-$n" link set lo up
  ip -n "drydock-$n" link set eth0 up
  # It leads nowhere, but without a route nothing is sent to the address of a Service.
  ip -n "drydock-$n" route add default via $NET.1
  while read -r name address pods; do
    [ "$name" = "$n" ] || ip -n "drydock-$n" route add "$pods" via "$address"
  done < "$DIR/machines"
  ip netns exec "drydock-$n" sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=0
}

sweep() {
  local n=$1 c
  rm -f "$DIR/$n/init.pid"
  # A namespace dies late: without this the next boot finds the name taken.
  ip -n $SWITCH link del "p-$n" 2> /dev/null || true
  ip netns del "drydock-$n" 2> /dev/null || true
  for c in $GROUPS_V1 .; do
    # What ran there is dead, but not all of it is gone yet.
    for _ in $(seq 50); do
      [ -d "/sys/fs/cgroup/$c/drydock-$n" ] || break
      find "/sys/fs/cgroup/$c/drydock-$n" -depth -type d -exec rmdir {} \; 2> /dev/null || true
      [ ! -d "/sys/fs/cgroup/$c/drydock-$n" ] || sleep 0.1
    done
  done
}

supervise() {
  local n=$1 code
  [ -d "$DIR/$n/etc" ] || lay_out "$n"
  echo $$ > "$DIR/$n/supervisor.pid"
  while :; do
    sweep "$n"
    wire "$n"
    cat /proc/sys/kernel/random/uuid > "$DIR/$n/boot_id"
    code=0
    # When this process dies, so does process 1, and with it everything in its namespace.
    setpriv --pdeathsig KILL bash "$HERE/boot.sh" "$n" "$DIR/$n" || code=$?
    echo "$(date +%s.%N) process 1 ended with $code"
    sweep "$n"
    # reboot(2) in a namespace of processes ends process 1 with SIGHUP; power-off is SIGINT.
    [ "$code" = 129 ] || break
  done
  rm -f "$DIR/$n/supervisor.pid"
}

run_in() {
  local n=$1 p
  shift
  p=$(init_of "$n") || { echo "$n is down" >&2; return 1; }
  exec nsenter -t "$p" -m -u -i -n -p -C -r -w env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    HOME=/root TERM=dumb DEBIAN_FRONTEND=noninteractive KUBECONFIG=/etc/kubernetes/admin.conf "$@"
}

clear_all() {
  local p n
  for p in "$DIR"/*/supervisor.pid; do
    # Its number may be another's by now.
    [ ! -f "$p" ] || ! grep -qs machine.sh "/proc/$(cat "$p")/cmdline" || kill -KILL "$(cat "$p")" || true
  done
  for p in "$DIR"/*/init.pid; do
    [ ! -f "$p" ] || while grep -qs systemd "/proc/$(cat "$p")/cmdline"; do sleep 0.1; done
  done
  # By what is there, not by what is written down: the disks of a run that was killed may be gone.
  for n in $({ ip netns list; ls -d /sys/fs/cgroup/drydock-* /sys/fs/cgroup/*/drydock-* 2> /dev/null; } |
    sed -n 's#.*drydock-\([a-z0-9]*\).*#\1#p' | sort -u); do
    [ "$n" = switch ] || sweep "$n"
  done
  ip link del $LEG 2> /dev/null || true
  ip netns del $SWITCH 2> /dev/null || true
  rm -rf --one-file-system "$DIR"
}

case ${1:-} in
  switch) switch_up ;;
  supervise) supervise "$2" ;;
  exec) shift; run_in "$@" ;;
  init) init_of "$2" ;;
  cut) ip -n $SWITCH link set "p-$2" down ;;
  endpoint) ip -n $SWITCH addr add "$2/32" dev br0 ;;
  clear) clear_all ;;
  *) grep '^#' "$0" >&2; exit 2 ;;
esac
