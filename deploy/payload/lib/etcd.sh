# shellcheck shell=sh
# What is asked of etcd, with the etcdctl and etcdutl of the image that runs: they fit its release, and nothing has to be installed.

etcd_pki=$root/etc/kubernetes/pki/etcd
etcd_manifest=$manifests/etcd.yaml

# Whether a member of etcd is one of the static pods of this node.
has_etcd() {
  [ -e "$etcd_manifest" ]
}

# etcd_says FLAG DEFAULT: what the manifest gives etcd for a flag.
etcd_says() {
  found=$(sed -n "s/^[[:space:]]*- --$1=//p" "$etcd_manifest" | head -n 1)
  echo "${found:-$2}"
}

# tool NAME: where etcdctl or etcdutl is: in the running etcd, or installed on the node.
tool() {
  for pid in $(pids etcd); do
    for dir in usr/local/bin usr/bin; do
      [ ! -x "$root/proc/$pid/root/$dir/$1" ] || { echo "$root/proc/$pid/root/$dir/$1" && return; }
    done
  done
  command -v "$1"
}

# ctl ARGUMENTS...: etcdctl against the member of this node, in bounded time. It is looked for anew each time: a member that was
# restarted has another process.
ctl() {
  etcdctl=$(tool etcdctl) || { echo 'etcd does not run here' >&2 && return 127; }
  "$etcdctl" --endpoints=https://127.0.0.1:2379 --cacert="$etcd_pki/ca.crt" --cert="$etcd_pki/server.crt" \
    --key="$etcd_pki/server.key" --dial-timeout=5s --command-timeout="${within:-10s}" "$@" 3>&- < /dev/null
}

# Why etcdctl got no answer. It says at the end only that it took too long, and of a certificate that etcd does not take often nothing.
etcd_why() {
  if command -v openssl > /dev/null && ! openssl verify -CAfile "$etcd_pki/ca.crt" "$etcd_pki/server.crt" > "$scratch/verified" 2>&1; then
    echo "the certificate ${etcd_pki#"$root"}/server.crt is not good: $(sed -n 's/.* lookup: *//p' "$scratch/verified" | head -n 1)"
  else
    cause=$(sed -n 's/.*\(transport\|latest balancer error\): \(.*\)"}$/\2/p' "$scratch/said" | tail -n 1 | tr -d '\\"')
    echo "etcdctl said: ${cause:-$(why)}"
  fi
}

# etcd_ails: says what is wrong with the cluster of etcd, nothing where all is well. It leaves the number of members in $members.
etcd_ails() {
  if ! list=$(ctl member list 2> "$scratch/said"); then
    echo "etcd on $DRYDOCK_NODE does not answer ($(etcd_why))"
    return
  fi
  unstarted=$(printf '%s\n' "$list" | awk -F ', ' '$2 != "started" { print $4 }' | tr '\n' ' ')
  learners=$(printf '%s\n' "$list" | awk -F ', ' '$6 == "true" { print $3 }' | tr '\n' ' ')
  [ -z "$unstarted" ] || echo "the member of etcd at ${unstarted% } has not started"
  [ -z "$learners" ] || echo "${learners% } is still a learner of etcd"
  alarms=$(ctl alarm list 2>&1 | tr '\n' ' ')
  [ -z "$alarms" ] || echo "etcd has an alarm: ${alarms% }"
  ctl endpoint health --cluster > "$scratch/said" 2>&1 ||
    echo "a member of etcd is not healthy ($(grep -F unhealthy "$scratch/said" | head -n 1 | cut -c 1-300))"
}

etcd_is_well() {
  ails=$(etcd_ails)
  [ -z "$ails" ]
}

# etcd_must_be_well SECONDS: one member that is away is one too many where a second will be stopped.
etcd_must_be_well() {
  has_etcd || return 0
  wait_for "$1" etcd_is_well ||
    refuse "Not while $(printf '%s' "$ails" | tr '\n' ';' | sed 's/;/; /g'): mend the cluster of etcd first (etcdctl member list, endpoint health --cluster, alarm list), then run again."
  members=$(ctl member list 2> /dev/null | grep -c .)
  say "etcd: $members of $members members healthy, no learner, no alarm"
}

# The leader is stopped last of all: another one takes over before this one restarts. A cluster that elects by itself costs a second.
etcd_hand_over() {
  has_etcd || return 0
  status=$(ctl endpoint status -w fields 2> /dev/null) || return 0
  me=$(printf '%s\n' "$status" | sed -n 's/^"MemberID" : *//p' | head -n 1)
  leader=$(printf '%s\n' "$status" | sed -n 's/^"Leader" : *//p' | head -n 1)
  [ -n "$me" ] && [ "$me" = "$leader" ] || return 0
  other=$(ctl member list 2> /dev/null |
    awk -F ', ' -v me="$(etcd_says name "$DRYDOCK_NODE")" '$2 == "started" && $3 != me && $6 == "false" { print $1; exit }')
  [ -n "$other" ] || return 0
  run ctl move-leader "$other" || say 'the leader stays here; another is elected when this member restarts'
}
