#!/bin/sh
# Every program of a node that a payload asks, by the name under which it is called. What it does stands in files under state/, so
# that a run that was killed leaves what a real one would leave. The number of the call at which everything stands=$(is killed) in
# state/kill-at, a call that fails in state/fail with what it says in state/fail-says.
name=${0##*/}
node=${0%/usr/bin/*}
[ "$node" != "$0" ] || node=${0%/usr/local/bin/*}
node=${node%/proc/*}
cd "$node/state" || exit 99
call="$name $*"

is() { cat "$1" 2> /dev/null || :; }
die_here() { kill -9 0; }

case $name in
  sleep) exit 0 ;;
  nsenter)
    while [ "$1" != -- ]; do shift; done
    shift
    exec "$@"
    ;;
  date) now=$(is now); exec /bin/date -u -d "@$now" "$@" ;;
  df) free=$(is free); printf 'F 1024-blocks Used Available Capacity Mounted\n%s 9 9 %s 9%% /\n' "$([ -e one-disk ] && echo disk || echo "$2")" "$((free * 1024))"; exit ;;
  pgrep) cat "pid-$2" 2> /dev/null; exit ;;
  ps) now=$(is now); read -r born < "born-$4" 2> /dev/null || exit 1; echo " $((now - born))"; exit ;;
  uname) echo 6.1.0-1; exit ;;
esac

printf '%s\n' "$call" | sed "s|$node||g" >> calls
at=$(is kill-at)
now=$(wc -l < calls)
dying=no
[ "$now" != "${at:-0}" ] || dying=yes
if [ -e fail ]; then
  pattern=$(is fail)
  # shellcheck disable=SC2254
  case $call in $pattern) cat fail-says; exit 1 ;; esac
fi

# start COMPONENT: the kubelet starts a container: another process, from now on, with the manifest's image.
start() {
  pid=$(is next-pid)
  echo "$((pid + 1))" > next-pid
  case $1 in kube-controller-manager) comm=kube-controller ;; *) comm=$1 ;; esac
  echo "$pid" > "pid-$comm"
  cp now "born-$pid"
  mkdir -p "../proc/$pid/root/usr/local/bin" "../proc/$pid/ns"
  ln -sf net-of-the-node "../proc/$pid/ns/net"
  [ "$1" != etcd ] || cp "../usr/bin/kubeadm" "../proc/$pid/root/usr/local/bin/etcdctl"
  [ "$1" != etcd ] || cp "../usr/bin/kubeadm" "../proc/$pid/root/usr/local/bin/etcdutl"
  sed -n 's/^ *image: //p' "../etc/kubernetes/manifests/$1.yaml" > "runs-$1"
}

raise() { # COMPONENT: its manifest names the release of kubeadm
  kubeadm=$(is kubeadm)
  [ -e "../etc/kubernetes/manifests/$1.yaml" ] || return 0
  grep -q ":v$kubeadm\$" "../etc/kubernetes/manifests/$1.yaml" && return 0
  sed "s/:v.*/:v$kubeadm/" "../etc/kubernetes/manifests/$1.yaml" > new && mv new "../etc/kubernetes/manifests/$1.yaml"
  start "$1"
}

install_one() { # NAME VERSION: half of it, then the whole
  : > half
  [ "$dying" = no ] || [ ! -e kill-in-the-middle ] || die_here
  echo "${2%%-*}" > "$1"
  rm -f half
}

case $call in
  'dpkg --configure -a') rm -f half ;;
  'dpkg -s'*) [ -e "$3" ] || exit 1 ;;
  apt-get* | dnf*)
    [ ! -e half ] || { echo 'E: dpkg was interrupted'; exit 1; }
    case $call in
      *' install '*--download*) ;;
      *' install '*)
        for each in "$@"; do
          case $each in
            kube*=*) [ ! -e "held-${each%%=*}" ] || { echo 'E: Held packages were changed'; exit 1; }; install_one "${each%%=*}" "${each#*=}" ;;
            kubeadm-* | kubelet-* | kubectl-*) install_one "${each%%-*}" "${each#*-}" ;;
          esac
        done
        ;;
      *' upgrade'*) case $call in *--simulate* | *--downloadonly*) ;; *) install_one os 2 ;; esac ;;
      *needs-restarting\ -r) [ ! -e ../run/reboot-required ] || exit 1 ;;
      *' list '*) offers=$(is offers); for each in $offers; do echo "$5.x86_64  $each-150500.1.1  kubernetes"; done ;;
    esac
    ;;
  'apt-cache madison'*) offers=$(is offers); for each in $offers; do echo "   $2 | $each-1.1 | https://pkgs.k8s.io/core:/stable:/v1.36/deb  Packages"; done ;;
  apt-mark*) how=$1; shift; for each in "$@"; do if [ "$how" = hold ]; then : > "held-$each"; else rm -f "held-$each"; fi; done ;;
  'kubelet --version') kubelet=$(is kubelet); echo "Kubernetes v$kubelet" ;;
  'kubeadm version'*) kubeadm=$(is kubeadm); echo "v$kubeadm" ;;
  'kubeadm upgrade plan'*) ;;
  'kubeadm upgrade apply'* | 'kubeadm upgrade node'*)
    raise kube-apiserver
    [ "$dying" = no ] || [ ! -e kill-in-the-middle ] || die_here
    raise kube-controller-manager
    raise kube-scheduler
    ;;
  'kubeadm certs check-expiration') expires=$(is expires)
    printf 'CERTIFICATE                EXPIRES                  RESIDUAL TIME   CERTIFICATE AUTHORITY   EXTERNALLY MANAGED\n'
    for each in admin.conf apiserver etcd-server; do printf '%-26s %s   %s            ca                      no\n' "$each" "$expires" "$([ "$expires" = 'Nov 21, 2027 04:00 UTC' ] && echo 364d || echo 29d)"; done
    printf '\nCERTIFICATE AUTHORITY   EXPIRES                  RESIDUAL TIME   EXTERNALLY MANAGED\nca                      Nov 19, 2035 04:00 UTC   9y              no      \n' ;;
  'kubeadm certs renew all') echo 'Nov 21, 2027 04:00 UTC' > expires
    now=$(is now)
    for each in pki/apiserver.crt pki/etcd/server.crt controller-manager.conf scheduler.conf; do touch -d "@$now" "../etc/kubernetes/$each"; echo "certificate of $each renewed"; done
    echo "$((now + 10))" > now ;;
  'systemctl restart kubelet') cp kubelet reported ;;
  'systemctl is-active'*) [ -e armed ] || exit 3 ;;
  'systemctl stop drydock-reboot.timer') rm -f armed ;;
  systemd-run*) [ ! -e armed ] || exit 1; : > armed ;;
  kubectl*readyz) [ -e pid-kube-apiserver ] || exit 1 ;;
  kubectl*'get node'*) reported=$(is reported); printf 'v%s' "$reported" ;;
  kubectl*'get pod '*) pod=${call#*get pod }; pod=${pod%-cp-1 *}; image=$(is "runs-$pod"); printf '%s True' "$image" ;;
  'kill -TERM'*) for each in etcd kube-apiserver kube-controller-manager kube-scheduler; do case $each in kube-c*) comm=kube-controller ;; *) comm=$each ;; esac; grep -qsx "$2" "pid-$comm" && start "$each"; done ;;
  etcdctl*'member list') cat members ;;
  etcdctl*'alarm list' | etcdctl*'endpoint health'* | etcdctl*'move-leader'*) ;;
  etcdctl*'endpoint status'*) printf '"MemberID" : a1\n"Leader" : a1\n' ;;
  etcdctl*'snapshot save'*)
    file=${call##* }
    head -c 1024 /dev/zero > "$file.part"
    [ "$dying" = no ] || [ ! -e kill-in-the-middle ] || die_here
    { cat "$file.part"; head -c 1024 /dev/zero | sha256sum | cut -c 1-64 | sed 's/../\\\\x&/g' | while read -r hex; do /usr/bin/printf "$hex"; done; } > "$file"
    rm -f "$file.part"
    if [ -e cut-short ]; then head -c 1000 "$file" > shorter && mv shorter "$file"; fi
    ;;
  etcdutl*'snapshot status'*) echo '{"hash":1234567,"revision":4711,"totalKey":812,"totalSize":1024,"version":"3.6.0"}' ;;
esac
[ "$dying" = no ] || die_here
