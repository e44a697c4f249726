# shellcheck shell=sh
# Packages by dnf. What apt-mark hold is there is here the exclude= of the repository, as the documentation of kubeadm has it.

dnf_() {
  run dnf -y --setopt=keepcache=1 "$@"
}

# A transaction that was cut off is done anew by the next one.
dnf_mend() {
  command -v dnf > /dev/null ||
    refuse "There is no dnf on $DRYDOCK_NODE: this profile is for Fedora and RHEL, and there is one with apt for Debian and Ubuntu."
}

dnf_refresh() {
  dnf_ makecache --refresh || refuse "The package lists cannot be fetched: see that this node reaches its repositories. (dnf said: $(why))"
}

# dnf_find PACKAGE VERSION: the package's own version for a release, empty where no repository has it.
dnf_find() {
  dnf -q list --showduplicates --disableexcludes=all "$1" 2> /dev/null |
    awk -v p="$1." -v v="${2#v}" 'index($1, p) == 1 && ($2 == v || index($2, v "-") == 1) { print $2; exit }'
}

dnf_fetch() {
  for wanted in "$@"; do
    dnf_ install --downloadonly --disableexcludes=all "${wanted%%=*}-${wanted#*=}" || return
  done
}

# dnf_exact PACKAGE VERSION [PACKAGE VERSION]: exactly that, past the exclude for this one time.
dnf_exact() {
  if [ "$#" = 4 ]; then
    dnf_ install --disableexcludes=all "$1-$2" "$3-$4" || return
  else
    dnf_ install --disableexcludes=all "$1-$2" || return
  fi
  grep -hqs "^exclude *=.*$1" "$root"/etc/yum.repos.d/*.repo "$root/etc/dnf/dnf.conf" ||
    say "$1 is excluded nowhere: dnf update would raise it with everything else (add exclude=kubelet kubeadm kubectl to its repository)"
}

dnf_switch() {
  point_at "$1" "$root"/etc/yum.repos.d/*.repo
}

# Raises everything but Kubernetes, which has a profile of its own.
dnf_raise() {
  dnf_ upgrade --exclude=kubeadm --exclude=kubelet --exclude=kubectl
}

dnf_rehearse() {
  dnf_ upgrade --exclude=kubeadm --exclude=kubelet --exclude=kubectl --downloadonly
}

# needs-restarting says 1 where a reboot is wanted; the newest kernel is asked for where it is not installed.
dnf_wants_reboot() {
  if dnf needs-restarting --help > /dev/null 2>&1; then
    ! dnf needs-restarting -r > /dev/null 2>&1 || other_kernel
  else
    other_kernel
  fi
}
