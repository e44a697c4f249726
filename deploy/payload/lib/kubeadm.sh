# shellcheck shell=sh
# The upgrade of a node that kubeadm made, as its documentation tells people to do it. $packages is apt or dnf.

kubeadm_main() {
  case ${1:-} in
    check) kubeadm_check ;;
    apply | node) kubeadm_upgrade "$1" ;;
    *) refuse "${0##*/} is run with check, apply (the first control plane) or node (every other one), not with \"${1:-}\"." ;;
  esac
}

# Where lists name the repository of one minor release, as pkgs.k8s.io has them: from there to that of $1.
point_at() {
  minor_release=$1
  shift
  for list; do
    grep -qs 'pkgs\.k8s\.io/core:/stable:/v[0-9.]*/' "$list" || continue
    grep 'pkgs\.k8s\.io/core:/stable:/' "$list" | grep -qv "/$minor_release/" || continue
    say "pointing ${list#"$root"} at $minor_release"
    cp -p "$list" "$list.drydock-new"
    sed "s|\(pkgs\.k8s\.io/core:/stable:/\)v[0-9.]*/|\1$minor_release/|" "$list" > "$list.drydock-new"
    mv "$list.drydock-new" "$list"
  done
}

# Where to, and never back.
kubeadm_target() {
  setting PAYLOAD_REPOSITORY Keep 'Keep|Switch'
  repository=$value
  setting PAYLOAD_FREE_MIB 2048 '[0-9]+'
  free=$value
  ignored=${PAYLOAD_IGNORE_PREFLIGHT_ERRORS:+--ignore-preflight-errors=$PAYLOAD_IGNORE_PREFLIGHT_ERRORS}
  target=${DRYDOCK_TARGET_VERSION:-}
  printf '%s\n' "$target" | grep -Eqx 'v[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?' ||
    refuse "There is no release to go to (DRYDOCK_TARGET_VERSION is \"$target\"): this profile is for a ClusterUpgrade with target.kubernetesVersion."
  kubelet=$(kubelet --version 2> /dev/null | sed 's/^Kubernetes //') || kubelet=
  [ -n "$kubelet" ] || refuse "There is no kubelet on the PATH of $DRYDOCK_NODE: this profile is for nodes that kubeadm made from packages."
  server=$(image_version kube-apiserver)
  for have in "kubelet $kubelet" "kubeadm $(kubeadm version -o short 2> /dev/null)" "kube-apiserver $server"; do
    [ -z "${have#* }" ] || ! older "$target" "${have#* }" ||
      refuse "$DRYDOCK_NODE has $have, which is newer than $target: kubeadm has no way back. Set the target to ${have#* } or newer, or restore a snapshot."
  done
  [ -z "$server" ] || [ "$(minor "$target")" -le "$(($(minor "$server") + 1))" ] ||
    refuse "From $server to $target is more than one minor release: go to v1.$(($(minor "$server") + 1)) first."
  say "$DRYDOCK_NODE: kubelet $kubelet${server:+, kube-apiserver $server}; to $target"
}

# The versions that the packages have for the target, whatever the repository calls them.
kubeadm_find() {
  "${packages}_mend"
  [ "$repository" = Keep ] || "${packages}_switch" "v1.$(minor "$target")"
  "${packages}_refresh"
  found_as kubeadm
  kubeadm_package=$found
  found_as kubelet
  kubelet_package=$found
  found_as kubectl
  kubectl_package=$found
}

found_as() {
  found=$("${packages}_find" "$1" "$target")
  [ -n "$found" ] ||
    refuse "No repository of $DRYDOCK_NODE has $1 ${target#v}: add the one of v1.$(minor "$target") (pkgs.k8s.io has one for each minor release), or set PAYLOAD_REPOSITORY=Switch in the MaintenanceProfile."
  say "$1 ${target#v} is $found"
}

kubeadm_check() {
  step 'look at the releases'
  kubeadm_target
  step 'look for room'
  need_space "$root/var/cache" 512 'the packages'
  need_space "$root/var/lib" "$free" "the images of $target"
  if has_etcd; then
    data=$root$(etcd_says data-dir /var/lib/etcd)
    need_space "$root/etc/kubernetes/tmp" "$(($(used_mib "$data") + 256))" 'the copy of etcd that kubeadm makes'
  fi
  step 'ask the API server'
  wait_for 60 api_ready || refuse "The API server is not ready, asked from $DRYDOCK_NODE ($(why)): see to it first (kubectl get --raw '/readyz?verbose')."
  if is_control_plane; then
    step 'look at etcd'
    etcd_must_be_well 30
  fi
  step "look for $target in the repositories"
  kubeadm_find
  "${packages}_fetch" "kubeadm=$kubeadm_package" "kubelet=$kubelet_package" "kubectl=$kubectl_package" ||
    refuse "The packages of $target cannot be downloaded: see what the package manager says. ($(why))"
  if [ "${DRYDOCK_ROLE:-}" = firstControlPlane ]; then
    step 'ask kubeadm for its plan'
    must 'kubeadm upgrade plan finds the cluster not fit to be upgraded: mend what it names.' \
      kubeadm upgrade plan "$target" ${ignored:+"$ignored"}
  fi
  finish "$DRYDOCK_NODE can go from $kubelet to $target: room, repositories${server:+, etcd} and the API server are as they should be."
}

kubeadm_upgrade() {
  step 'look at the releases'
  kubeadm_target
  if is_control_plane; then
    step 'look at etcd'
    etcd_must_be_well 120
  fi
  step "look for $target in the repositories"
  kubeadm_find

  step "install kubeadm $kubeadm_package"
  "${packages}_exact" kubeadm "$kubeadm_package" ||
    refuse "kubeadm $kubeadm_package could not be installed on $DRYDOCK_NODE; the kubelet is untouched. ($(why))"
  now=$(kubeadm version -o short)
  [ "$now" = "$target" ] ||
    refuse "kubeadm on the PATH of $DRYDOCK_NODE says $now after $target was installed: remove the other kubeadm ($(command -v kubeadm))."

  kubeadm_run "$1"
  if is_control_plane; then
    step "wait for the static pods of $target"
    pods_run "$target"
  fi

  step "install kubelet $kubelet_package and kubectl $kubectl_package"
  "${packages}_exact" kubelet "$kubelet_package" kubectl "$kubectl_package" ||
    refuse "kubelet $kubelet_package could not be installed on $DRYDOCK_NODE, whose kubeadm upgrade is done: see to the package manager, then run again. ($(why))"
  step 'restart the kubelet'
  must 'systemd could not be reloaded.' systemctl daemon-reload
  must 'The kubelet does not start: journalctl -u kubelet on the node says why.' systemctl restart kubelet
  wait_for 180 kubelet_is_at "$target" ||
    refuse "The kubelet of $DRYDOCK_NODE does not report $target to the API server after 180 s (seen: ${seen:-no answer}): journalctl -u kubelet on the node says why."
  if is_control_plane; then
    # A kubelet of another minor release restarts every static pod, some seconds after it has begun.
    step 'wait for the static pods once more'
    sleep 15
    pods_run "$target"
    etcd_must_be_well 120
  fi
  finish "$DRYDOCK_NODE went from ${DRYDOCK_CURRENT_VERSION:-$kubelet} to $target by kubeadm upgrade $1." \
    "{\"node\":\"$DRYDOCK_NODE\",\"kubelet\":\"$target\",\"kubeadm\":\"$target\",\"etcdMembers\":${members:-0}}"
}

# Run again after a kill it finds equal manifests and goes on: nothing of it is remembered on the node.
kubeadm_run() {
  patches=${PAYLOAD_PATCHES:+--patches=$PAYLOAD_PATCHES}
  if [ "$1" = apply ]; then
    step "kubeadm upgrade apply $target"
    must 'kubeadm upgrade plan finds the cluster not fit to be upgraded: mend what it names, then run again.' \
      kubeadm upgrade plan "$target" ${ignored:+"$ignored"}
    etcd_hand_over
    must 'kubeadm upgrade apply did not end well; it puts back what it had begun. Mend what it names, then run again.' \
      kubeadm upgrade apply "$target" --yes ${ignored:+"$ignored"} ${patches:+"$patches"}
  else
    step 'kubeadm upgrade node'
    etcd_hand_over
    must 'kubeadm upgrade node did not end well; it puts back what it had begun. Mend what it names, then run again.' \
      kubeadm upgrade node ${ignored:+"$ignored"} ${patches:+"$patches"}
  fi
}

kubelet_is_at() {
  seen=$(ask get node "$DRYDOCK_NODE" -o 'jsonpath={.status.nodeInfo.kubeletVersion}' 2> /dev/null) && [ "$seen" = "$1" ]
}
