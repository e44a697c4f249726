# shellcheck shell=sh
# What is said: a line a step in the log, and one sentence in the termination message, which the operator keeps as evidence.

# Where the node's files begin: elsewhere only in tests.
root=${PAYLOAD_NODE_ROOT:-}
PATH=$root/usr/local/sbin:$root/usr/local/bin:$root/usr/sbin:$root/usr/bin:$root/sbin:$root/bin
HOME=$root/root
LC_ALL=C
export PATH HOME LC_ALL
unset LANGUAGE KUBECONFIG ETCDCTL_ENDPOINTS
cd "$root/"
umask 022

doing='begin'
said=
rm -rf "$root"/run/drydock-payload.*
scratch=$(mktemp -d "$root/run/drydock-payload.XXXXXX")

say() {
  printf '%s %s\n' "$(date -u +%H:%M:%S)" "$*"
}

# What is done from here on, for the log and for whoever reads why it ended here.
step() {
  doing=$*
  say "== $doing"
}

# tell SENTENCE [EVIDENCE]: the termination message. The kubelet keeps 4096 bytes; evidence that would be cut is left out whole.
tell() {
  said=yes
  sentence=$(printf '%s' "$1" | tr '\n\t' '  ' | cut -c 1-1500)
  say "$sentence"
  printf '%s\n' "$sentence" >&3
  [ -n "${2:-}" ] || return 0
  printf '%s\n' "$2"
  if [ "${#2}" -le 2500 ]; then
    printf '%s\n' "$2" >&3
  else
    printf '{"evidence":"in the log, since it has %s bytes"}\n' "${#2}" >&3
  fi
}

# finish SENTENCE [EVIDENCE]: the work is done.
finish() {
  tell "$@"
  exit 0
}

# refuse SENTENCE: it is not done, why, and what to do instead.
refuse() {
  tell "$1"
  exit 1
}

ended() {
  code=$?
  rm -rf "$scratch"
  [ -z "$said" ] || exit "$code"
  tell "Ended with code $code while it was to $doing. It may be run again as it is; what it said is in the log of the Job."
  [ "$code" != 0 ] || code=1
  exit "$code"
}
trap ended EXIT
trap 'exit 143' TERM
trap 'exit 130' INT HUP

# run COMMAND...: as a person would, shown in the log as it goes; what it said stays in $scratch/said.
run() {
  case $1 in
    ctl) say "\$ etcd$*" ;;
    *) say "\$ $*" ;;
  esac
  echo 1 > "$scratch/code"
  { "$@" 2>&1 3>&- < /dev/null && echo 0 > "$scratch/code"; } | tee "$scratch/said" || :
  return "$(cat "$scratch/code")"
}

# The line of what a command said that says why: of kubeadm the first failed check, of dpkg the first package with what its script
# said, else the last that is not empty.
why() {
  { grep -F '[ERROR ' "$scratch/said" | head -n 1 | grep . ||
    dpkg_why < "$scratch/said" | grep . ||
    grep -v '^To see the stack trace' "$scratch/said" | grep '[^[:space:]]' | tail -n 1; } |
    sed 's/^[[:space:]]*//' | cut -c 1-400
}

dpkg_why() {
  awk '
    /^dpkg: error processing / {
      which = $0
      if (getline > 0 && sub(/^ +/, "")) which = which " " $0
      silent = before == "" || before ~ /^(\(Reading|Preparing|Unpacking|Setting up|Processing) /
      print which (silent ? "" : ", after: " before)
      exit
    }
    { before = $0 }'
}

# must SENTENCE COMMAND...: runs it, or ends with the sentence and what the command said.
must() {
  otherwise=$1
  shift
  run "$@" || refuse "$otherwise ($1 said: $(why))"
}

# Seconds since the node was booted, which no clock that is set can move.
uptime() {
  read -r seconds rest < "$root/proc/uptime"
  echo "${seconds%.*}"
}

# wait_for SECONDS COMMAND...: asks every two seconds until it holds, however long each answer takes.
wait_for() {
  until=$(($(uptime) + $1))
  shift
  until "$@"; do
    [ "$(uptime)" -lt "$until" ] || return 1
    sleep 2
  done
}

# setting NAME DEFAULT PATTERN: what a variable of the profile says, or what holds without it. A word that the pattern (of
# grep -E) does not match is refused rather than guessed at.
setting() {
  eval "value=\${$1:-}"
  value=${value:-$2}
  printf '%s\n' "$value" | grep -Eqx -- "$3" || refuse "$1 is \"$value\" in the MaintenanceProfile, which must match $3."
}
