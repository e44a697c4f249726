# shellcheck shell=sh
# Packages by apt.

export DEBIAN_FRONTEND=noninteractive
# needrestart would restart the kubelet and the container runtime by itself, in the middle of the work.
export NEEDRESTART_SUSPEND=1

apt_() {
  run apt-get -y -q -o DPkg::Lock::Timeout=300 -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold "$@"
}

# After a kill in the middle of an installation dpkg refuses everything until this was done. Unlike apt-get it does not wait for
# others that install, as unattended-upgrades does.
apt_mend() {
  command -v apt-get > /dev/null ||
    refuse "There is no apt-get on $DRYDOCK_NODE: this profile is for Debian and Ubuntu, and there is one with dnf for Fedora and RHEL."
  wait_for 300 apt_unlocked || mended=locked
  [ "$mended" != no ] || ! apt_anew || mended=yes
  [ "$mended" = yes ] ||
    refuse "dpkg cannot finish an installation that was interrupted: run dpkg --configure -a on the node and see to what it says. (dpkg said: $(why))"
}

# What the script of a package refuses dpkg can never finish; but there may be a better package of the same release by now. apt-get
# does not install anew what is half-way configured ("No file name for ..."), so it only fetches.
apt_anew() {
  cp "$scratch/said" "$scratch/unfinished"
  apt_renewed || { mv "$scratch/unfinished" "$scratch/said" && return 1; }
}

apt_renewed() {
  apt_ update || return
  # shellcheck disable=SC2016
  broken=$(dpkg-query -W -f '${db:Status-Status} ${Package} ${Version}\n' |
    awk '$1 ~ /^(half|unpacked|triggers)/ { sub(/-[^-]*$/, "", $3); print $2 "=" $3 }')
  [ -n "$broken" ] || return
  set --
  for each in $broken; do
    found=$(apt_find "${each%%=*}" "${each#*=}")
    [ -n "$found" ] || return
    set -- "$@" "${each%%=*}=$found"
  done
  say "installing anew what dpkg could not finish: $*"
  mkdir "$scratch/packages" && cd "$scratch/packages" || return
  installed=no
  ! apt_ download "$@" || ! run dpkg --force-confdef --force-confold --install ./*.deb || installed=yes
  cd "$root/" || return
  # A package that is named to dpkg is off its hold.
  for each; do
    case $each in kubeadm=* | kubelet=* | kubectl=*) run apt-mark hold "${each%%=*}" || return ;; esac
  done
  [ "$installed" = yes ]
}

apt_unlocked() {
  mended=yes
  ! run dpkg --configure -a || return 0
  mended=no
  ! grep -q 'lock' "$scratch/said"
}

apt_refresh() {
  apt_ update || refuse "The package lists cannot be fetched: see that this node reaches its repositories. (apt-get said: $(why))"
}

# apt_find PACKAGE VERSION: the package's own version for a release, empty where no repository has it.
apt_find() {
  apt-cache madison "$1" | awk -F ' *\\| *' -v v="${2#v}" '$2 == v || index($2, v "-") == 1 { print $2; exit }'
}

# apt_fetch PACKAGE=VERSION...: downloads, and changes nothing else.
apt_fetch() {
  apt_ install --download-only --allow-change-held-packages "$@"
}

# apt_exact PACKAGE VERSION [PACKAGE VERSION]: unhold, install exactly that, hold. They are held again whatever comes of it.
apt_exact() {
  apt_exactly "$@" || { code=$? && cp "$scratch/said" "$scratch/failed"; }
  names=$1${3:+ $3}
  # shellcheck disable=SC2086
  must 'The packages could not be put on hold: run apt-mark hold on the node.' apt-mark hold $names
  [ ! -e "$scratch/failed" ] || { mv "$scratch/failed" "$scratch/said" && return "$code"; }
}

apt_exactly() {
  if [ "$#" = 4 ]; then
    run apt-mark unhold "$1" "$3" && apt_ install "$1=$2" "$3=$4"
  else
    run apt-mark unhold "$1" && apt_ install "$1=$2"
  fi
}

apt_switch() {
  point_at "$1" "$root"/etc/apt/sources.list.d/*.list "$root"/etc/apt/sources.list.d/*.sources
}

# Raises everything but Kubernetes, which has a profile of its own; removes nothing.
apt_raise() {
  for package in kubeadm kubelet kubectl; do
    dpkg -s "$package" > /dev/null 2>&1 || continue
    must 'The packages of Kubernetes could not be put on hold, so nothing was raised.' apt-mark hold "$package"
  done
  apt_ upgrade --with-new-pkgs
}

apt_rehearse() {
  apt_ upgrade --with-new-pkgs --simulate
}

# Debian and Ubuntu leave a file; the newest kernel is asked for where they do not.
apt_wants_reboot() {
  [ -e "$root/run/reboot-required" ] || other_kernel
}
