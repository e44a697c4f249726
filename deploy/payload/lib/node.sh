# shellcheck shell=sh
# What is asked of a node, whatever is done there.

manifests=$root/etc/kubernetes/manifests
admin=$root/etc/kubernetes/admin.conf
# apt or dnf, as the profile says.
packages=

# older A B: whether release A comes before release B. A pre-release comes before its release.
older() {
  a=${1#v} b=${2#v}
  [ "$a" != "$b" ] || return 1
  if [ "${a%%-*}" = "${b%%-*}" ]; then
    case $a,$b in
      *-*,*-*) [ "$(printf '%s\n%s\n' "$a" "$b" | sort -V | head -n 1)" = "$a" ] ;;
      *-*,*) return 0 ;;
      *) return 1 ;;
    esac
    return
  fi
  [ "$(printf '%s\n%s\n' "${a%%-*}" "${b%%-*}" | sort -t . -k 1,1n -k 2,2n -k 3,3n | head -n 1)" = "${a%%-*}" ]
}

minor() {
  of=${1#*.}
  echo "${of%%.*}"
}

# free_mib PATH: free space where a path is, or will be.
free_mib() {
  there=$1
  # Above the first directory there is nothing to cut off: a node may have no /boot.
  while [ -n "$there" ] && [ ! -e "$there" ]; do there=${there%/*}; done
  df -Pk "$there/" | awk 'NR == 2 { print int($4 / 1024) }'
}

# used_mib PATH: what a directory holds.
used_mib() {
  [ -e "$1" ] || { echo 0; return; }
  du -sk "$1" | awk '{ print int($1 / 1024) + 1 }'
}

# need_space PATH MIB WHAT
need_space() {
  have=$(free_mib "$1")
  [ "$have" -ge "$2" ] ||
    refuse "For $3 there must be $2 MiB free in ${1#"$root"}, and there are $have: make room there, then run it again."
  say "$have MiB free in ${1#"$root"}, $2 needed for $3"
}

is_control_plane() {
  [ -e "$manifests/kube-apiserver.yaml" ]
}

# ask ARGUMENTS...: kubectl as this node may, in bounded time.
ask() {
  conf=$admin
  [ -e "$conf" ] || conf=$root/etc/kubernetes/kubelet.conf
  kubectl --kubeconfig "$conf" --request-timeout=10s "$@" 3>&- < /dev/null
}

api_ready() {
  ask get --raw /readyz > "$scratch/said" 2>&1
}

# pids COMPONENT: the processes of a static pod. They share the node's network, which one of the same name in a cluster that runs
# inside this one does not. The kernel keeps 15 characters of a name.
pids() {
  for pid in $(pgrep -x "$(printf '%s' "$1" | cut -c 1-15)" || :); do
    [ "$(readlink "$root/proc/$pid/ns/net")" = "$(readlink "$root/proc/1/ns/net")" ] || continue
    echo "$pid"
  done
}

# image_version COMPONENT: the release that the manifest of a static pod names.
image_version() {
  [ -e "$manifests/$1.yaml" ] || return 0
  sed -n 's/^[[:space:]-]*image:.*:\(v[0-9][0-9A-Za-z.-]*\).*/\1/p' "$manifests/$1.yaml" | head -n 1
}

# pod_runs COMPONENT [VERSION]: whether the static pod of this node is Ready, and of that release.
pod_runs() {
  seen=$(ask -n kube-system get pod "$1-$DRYDOCK_NODE" \
    -o 'jsonpath={.spec.containers[0].image} {.status.conditions[?(@.type=="Ready")].status}' 2> /dev/null) || return 1
  case $seen in
    *":${2:-}"*' True') return 0 ;;
    *) return 1 ;;
  esac
}

# pods_run [VERSION]: waits for every static pod of a control plane; etcd has releases of its own.
pods_run() {
  for component in etcd kube-apiserver kube-controller-manager kube-scheduler; do
    [ -e "$manifests/$component.yaml" ] || continue
    release=${1:-}
    [ "$component" != etcd ] || release=
    wait_for 300 pod_runs "$component" "$release" ||
      refuse "The static pod $component of $DRYDOCK_NODE is not Ready${release:+ with $release} after 300 s (seen: ${seen:-no answer}): look at it with crictl ps -a and crictl logs on the node; run again when it is Ready."
    say "$component is Ready${release:+ with $release}"
  done
}
