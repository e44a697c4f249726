#!/bin/sh
# shellcheck disable=SC2094
# Every program of a node that a payload asks, by the name under which it is called. What it does stands in files under state/, so
# that a run that was killed leaves what a real one would leave. The number of the call at which everything is killed stands in
# state/kill-at (with state/kill-in-the-middle: half-way through it), a call that fails in state/fail, and in state/fail-says what
# it then says.
name=${0##*/}
node=${0%/usr/bin/*}
[ "$node" != "$0" ] || node=${0%/proc/*}
[ "$node" != "$0" ] || node=${0%/var/lib/drydock-restore/*}

case $name in
  sleep)
    read -r up rest < "$node/proc/uptime"
    echo "$((up + $1)) $rest" > "$node/proc/uptime"
    exit 0
    ;;
  nsenter)
    while [ "$1" != -- ]; do shift; done
    shift
    exec "$@"
    ;;
esac
PATH=/usr/bin:/bin
cd "$node/state" || exit 99
read -r now < now

case $name in
  date) exec date -u -d "@$now" "$@" ;;
  df)
    read -r free < free
    disk=$2
    [ ! -e one-disk ] || disk=one
    printf 'Filesystem 1024-blocks Used Available Capacity Mounted\n%s 9 9 %s 9%% /\n' "$disk" "$((free * 1024))"
    exit
    ;;
  pgrep)
    # Where a kubelet is played that reads the manifests.
    case $2 in kube-controller) component=kube-controller-manager ;; *) component=$2 ;; esac
    if [ -e kubelet-follows ] && [ ! -e "../etc/kubernetes/manifests/$component.yaml" ]; then
      rm -f "pid-$2"
    elif [ -e kubelet-follows ] && [ ! -e "pid-$2" ]; then
      mkdir -p ../proc/700/ns
      ln -sf net-of-the-node ../proc/700/ns/net
      echo 700 > "pid-$2"
    fi
    [ ! -e "pid-$2" ] || cat "pid-$2"
    exit
    ;;
  ps)
    read -r born 2> /dev/null < "born-$4" || exit 1
    echo " $((now - born))"
    exit
    ;;
  uname) echo 6.1.0-1 && exit ;;
esac

call="$name $*"
printf '%s\n' "$call" >> calls
read -r count < count
echo "$((count + 1))" > count
dying=no
[ ! -e kill-at ] || read -r at < kill-at
[ "$count" != "${at:-}" ] || dying=yes
die_here() { kill -9 0; }
trap '[ "$dying" = no ] || die_here' EXIT
die_half_way() { [ "$dying" = no ] || [ ! -e kill-in-the-middle ] || die_here; }

if [ -e fail ]; then
  read -r pattern < fail
  # shellcheck disable=SC2254
  case $call in
    $pattern)
      cat fail-says
      [ ! -e fail-stderr ] || cat fail-stderr >&2
      exit 1
      ;;
  esac
fi

# start COMPONENT: the kubelet starts a container: another process, from now on, with what the manifest names.
start() {
  read -r pid < next-pid
  echo "$((pid + 1))" > next-pid
  case $1 in kube-controller-manager) comm=kube-controller ;; *) comm=$1 ;; esac
  echo "$pid" > "pid-$comm"
  cp now "born-$pid"
  mkdir -p "../proc/$pid/root/usr/local/bin" "../proc/$pid/ns"
  ln -sf net-of-the-node "../proc/$pid/ns/net"
  if [ "$1" = etcd ]; then
    cp ../usr/bin/fake "../proc/$pid/root/usr/local/bin/etcdctl"
    cp ../usr/bin/fake "../proc/$pid/root/usr/local/bin/etcdutl"
  fi
  sed -n 's/^ *image: //p' "../etc/kubernetes/manifests/$1.yaml" > "runs-$1"
}

# raise COMPONENT: its manifest gets the release of kubeadm.
raise() {
  manifest=../etc/kubernetes/manifests/$1.yaml
  read -r kubeadm < kubeadm
  [ -e "$manifest" ] || return 0
  ! grep -q ":v$kubeadm\$" "$manifest" || return 0
  sed "s/:v.*/:v$kubeadm/" "$manifest" > new
  mv new "$manifest"
  start "$1"
}

# put NAME VERSION: a package, and half of it before.
put() {
  : > half
  die_half_way
  echo "${2%%-*}" > "$1"
  rm -f half
}

packages() {
  # dnf does a transaction that was cut off anew and says nothing of it; dpkg wants to be asked first.
  [ ! -e half ] || [ "$name" = dnf ] || { echo 'E: dpkg was interrupted' && exit 1; }
  case $call in
    *' install '*--download*) ;;
    *' install '*)
      for each in "$@"; do
        case $each in
          kube*=*)
            [ ! -e "held-${each%%=*}" ] || { echo 'E: Held packages were changed' && exit 1; }
            put "${each%%=*}" "${each#*=}"
            ;;
          kubeadm-* | kubelet-* | kubectl-*) put "${each%%-*}" "${each#*-}" ;;
        esac
      done
      ;;
    *' upgrade '*--simulate* | *' upgrade '*--downloadonly*) ;;
    *' upgrade'*) put os 2 ;;
    *needs-restarting\ -r) [ ! -e ../run/reboot-required ] || exit 1 ;;
  esac
}

expiry() {
  read -r expires < expires
  left=29d
  [ "$expires" != 'Nov 21, 2027 04:00 UTC' ] || left=364d
  printf 'CERTIFICATE                EXPIRES                  RESIDUAL TIME   CERTIFICATE AUTHORITY   EXTERNALLY MANAGED\n'
  for each in admin.conf apiserver etcd-server; do
    printf '%-26s %s   %s            ca                      no      \n' "$each" "$expires" "$left"
  done
  printf '!MISSING! super-admin.conf                                                                  \n'
  printf '\nCERTIFICATE AUTHORITY   EXPIRES                  RESIDUAL TIME   EXTERNALLY MANAGED\n'
  printf 'ca                      Nov 19, 2035 04:00 UTC   9y              no      \n'
}

renew() {
  echo 'Nov 21, 2027 04:00 UTC' > expires
  for each in pki/apiserver.crt pki/etcd/server.crt controller-manager.conf scheduler.conf; do
    echo new > "../etc/kubernetes/$each"
    touch -d "@$now" "../etc/kubernetes/$each"
    echo "certificate in $each renewed"
    die_half_way
  done
  echo "$((now + 10))" > now
}

# save FILE: as etcdctl does it, under another name first, with the SHA-256 of it all at the end.
save() {
  head -c 1024 /dev/zero > "$1.part"
  die_half_way
  sum=$(sha256sum "$1.part" | cut -c 1-64 | sed 's/../\\x&/g')
  /usr/bin/printf "$sum" >> "$1.part"
  [ ! -e cut-short ] || head -c 1000 "$1.part" > shorter
  [ ! -e cut-short ] || mv shorter "$1.part"
  [ ! -e altered ] || printf x | dd of="$1.part" conv=notrunc status=none
  mv "$1.part" "$1"
}

case $call in
  mv* | rm* | cp* | mkdir* | chown*)
    cd "$OLDPWD" || exit 99
    "$name" "$@"
    exit
    ;;
  'dpkg --configure -a')
    [ ! -e broken ] || { printf 'Setting up %s ...\nno disk\ndpkg: error processing package %s (--configure):\n exit status 1\nErrors:\n x\n' x x && exit 1; }
    rm -f half
    ;;
  'dpkg --force-confdef'*)
    rm -f held-kubelet
    [ ! -e still-broken ] || { echo 'dpkg: error processing package x (--install):' && exit 1; }
    rm -f broken half
    ;;
  'dpkg-query -W'*) [ ! -e broken ] || echo "half-configured $(cat broken)" ;;
  'dpkg -s'*) [ -e "$2" ] || exit 1 ;;
  'dnf -q list '*)
    read -r offers < offers
    for each in $offers; do echo "$5.x86_64  $each-150500.1.1  kubernetes"; done
    ;;
  apt-get* | dnf*) packages "$@" ;;
  'apt-cache madison'*)
    read -r offers < offers
    for each in $offers; do echo "   $2 | $each-1.1 | https://pkgs.k8s.io/core:/stable:/v1.36/deb  Packages"; done
    ;;
  'apt-mark hold'*)
    shift
    for each in "$@"; do : > "held-$each"; done
    ;;
  'apt-mark unhold'*)
    shift
    for each in "$@"; do rm -f "held-$each"; done
    ;;
  'kubelet --version') echo "Kubernetes v$(cat kubelet)" ;;
  'kubeadm version'*) echo "v$(cat kubeadm)" ;;
  'kubeadm upgrade apply'* | 'kubeadm upgrade node'*)
    raise kube-apiserver
    die_half_way
    raise kube-controller-manager
    raise kube-scheduler
    ;;
  'kubeadm certs check-expiration') expiry ;;
  'kubeadm certs renew all') renew ;;
  'systemctl restart kubelet') cp kubelet reported ;;
  'systemctl is-active'*) [ -e armed ] || exit 3 ;;
  'systemctl stop drydock-reboot.timer') rm -f armed ;;
  systemd-run*)
    [ ! -e armed ] || exit 1
    : > armed
    ;;
  kubectl*readyz)
    if [ -e kubelet-follows ]; then
      [ -e ../etc/kubernetes/manifests/kube-apiserver.yaml ] || exit 1
    else
      [ -e pid-kube-apiserver ] || [ ! -e ../etc/kubernetes/admin.conf ] || exit 1
    fi
    ;;
  kubectl*'get node'*) printf 'v%s' "$(cat reported)" ;;
  kubectl*'get pod '*)
    pod=${call#*get pod }
    printf '%s True' "$(cat "runs-${pod%-cp-1 *}")"
    ;;
  'kill -TERM'*)
    for each in etcd kube-apiserver kube-controller-manager kube-scheduler; do
      case $each in kube-c*) comm=kube-controller ;; *) comm=$each ;; esac
      ! grep -qsx "$2" "pid-$comm" || [ -e stubborn ] || start "$each"
    done
    ;;
  etcdctl*' put drydock-restore/'*) echo "${call##* }" > agreed ;;
  etcdctl*' get --print-value-only drydock-restore/'*) [ ! -e agreed ] || cat agreed ;;
  etcdctl*' del --prefix '*) echo 1 ;;
  etcdutl*'snapshot restore'*)
    while [ "$1" != --data-dir ]; do shift; done
    mkdir -p "$2/member/snap"
    echo restored > "$2/member/snap/db"
    ;;
  kubectl*--server=*) [ ! -e api-elsewhere ] || echo 'Server Version: v1.36.4' ;;
  kubectl*'get jobs'*) printf 'ended 2026-11-01T00:00:00Z\nunended \nfailed True\n' ;;
  etcdctl*'member list') cat members ;;
  etcdctl*'endpoint status'*) printf '"MemberID" : a1\n"Leader" : a1\n' ;;
  etcdctl*'snapshot save'*) save "${call##* }" ;;
  etcdutl*'snapshot status'*) echo '{"hash":1234567,"revision":4711,"totalKey":812,"totalSize":1024,"version":"3.6.0"}' ;;
esac
