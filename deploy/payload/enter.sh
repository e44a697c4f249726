# shellcheck shell=sh
# Takes a profile from the container to the node. It needs nothing of the image but sh, cat, true and nsenter: the text of the
# library and of the profile itself is handed to the node's own sh, in the namespaces of the node's process 1, where the node's
# tools and files are what they are to a person who is logged in. The termination message stays open as file descriptor 3, since
# the container's files are out of sight there.

here=${0%/*}
message=${PAYLOAD_TERMINATION_LOG:-/dev/termination-log}
[ -w "$message" ] || message=/dev/null
exec 3> "$message"

cannot() {
  printf '%s\n' "$1" >&2
  printf '%s\n' "$1" >&3
  exit 1
}

# Without hostPID this shell is process 1, and there is no other.
[ "$$" != 1 ] || cannot 'This pod does not see the processes of the node: set hostPID: true in the MaintenanceProfile.'
nsenter --target 1 --mount -- true ||
  cannot 'This pod may not enter the namespaces of the node: set securityContext: { privileged: true } in the MaintenanceProfile.'

PAYLOAD_ON_NODE=yes exec nsenter --target 1 --mount --uts --ipc --net --pid -- \
  /bin/sh -c "$(cd "$here/lib" && cat report.sh node.sh etcd.sh apt.sh dnf.sh kubeadm.sh os.sh "../${0##*/}")" "${0##*/}" "$@"
