# shellcheck shell=sh
# The packages of the operating system, and reboots.

os_main() {
  # A reboot that an attempt before this one armed would come in the middle of this one.
  disarm
  case ${1:-} in
    check) os_check ;;
    update | auto | reboot) os_update "$1" ;;
    *) refuse "${0##*/} is run with check, update (never reboots), auto (reboots where the packages want it) or reboot (always does), not with \"${1:-}\"." ;;
  esac
}

os_check() {
  step 'look for room'
  need_space "$root/var/cache" 1024 'the packages'
  need_space "$root/usr" 1024 'what the packages bring'
  need_space "$root/boot" 128 'a new kernel'
  step 'ask the repositories'
  "${packages}_mend"
  "${packages}_refresh"
  "${packages}_rehearse" || refuse "The update would not go through on $DRYDOCK_NODE: see what the package manager says. ($(why))"
  finish "$DRYDOCK_NODE can be updated: there is room, and its repositories answer."
}

os_update() {
  step 'finish what was interrupted'
  "${packages}_mend"
  step 'fetch the package lists'
  "${packages}_refresh"
  step 'update all packages but those of Kubernetes'
  "${packages}_raise" || refuse "The packages of $DRYDOCK_NODE could not all be updated: see what the package manager says, then run again. ($(why))"
  step 'see whether a reboot is wanted'
  wanted=false
  ! "${packages}_wants_reboot" || wanted=true
  armed=false
  case $1-$wanted in
    reboot-* | auto-true)
      arm
      armed=true
      ;;
  esac
  evidence="{\"node\":\"$DRYDOCK_NODE\",\"rebootWanted\":$wanted,\"rebootArmed\":$armed,\"kernel\":\"$(uname -r)\"}"
  if [ "$armed" = true ]; then
    finish "The packages of $DRYDOCK_NODE are up to date; it reboots in $delay s." "$evidence"
  fi
  [ "$wanted" = false ] ||
    finish "The packages of $DRYDOCK_NODE are up to date; it runs what it booted with until it is rebooted, for which there is the profile reboot." "$evidence"
  finish "The packages of $DRYDOCK_NODE are up to date, and none asks for a reboot." "$evidence"
}

# Whether the newest kernel of the node is another than the one that runs.
other_kernel() {
  newest=$(for kernel in "$root"/boot/vmlinuz-*; do [ ! -e "$kernel" ] || echo "${kernel##*/vmlinuz-}"; done |
    grep -v rescue | sort -V | tail -n 1)
  [ -n "$newest" ] && [ "$newest" != "$(uname -r)" ]
}

# A timer of the node's own systemd, since nothing that the pod leaves behind outlives it. It fires when the Job has long been seen
# to be complete.
arm() {
  setting PAYLOAD_REBOOT_DELAY_SECONDS 60 '[1-9][0-9]{1,3}'
  delay=$value
  [ "$delay" -ge 30 ] || refuse "PAYLOAD_REBOOT_DELAY_SECONDS is $delay: it must be 30 at least, or the reboot comes before the Job is seen to be complete."
  step "arm a reboot in $delay s"
  must 'The reboot could not be armed; the node goes on as it is.' \
    systemd-run --unit=drydock-reboot --collect --on-active="$delay" --timer-property=AccuracySec=1s systemctl reboot
}

disarm() {
  ! systemctl is-active --quiet drydock-reboot.timer || must 'A reboot is armed and could not be taken back.' systemctl stop drydock-reboot.timer
}
