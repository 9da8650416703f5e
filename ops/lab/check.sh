#!/bin/bash
# Whether run.sh does to its hosts what its verbs say, on the artefact that ZFSHA_LAB_DIR names: two hosts, three disks, no .NET and no
# server. See docs/lab.md.
set -u -o pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lab.sh"
planned=30

close_check() {
  local status=$?
  trap - EXIT; trap '' INT TERM HUP
  lab down
  rm -rf "$ZFSHA_LAB_STATE"
  exit "$status"
}

need_artefact "${ZFSHA_LAB_DIR:-}"
ZFSHA_LAB_STATE=$(mktemp -d "${TMPDIR:-/tmp}/zfsha-check.XXXXXX")
export ZFSHA_LAB_STATE
logs=$ZFSHA_LAB_STATE
trap close_check EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

by_id=/dev/disk/by-id/virtio
state_of() { lab list | awk -v name="$1" '$1 == name { print $3 }'; }
answers() { timeout 10 "$run" sh "$1" true < /dev/null; }
reads() { timeout "$3" "$run" sh "$1" "dd if=$by_id-$2 of=/dev/null bs=4096 count=1 iflag=direct 2> /dev/null && echo read" < /dev/null; }

say "what is not there, and what cannot be"
check "a host that is not up: exit code" 1 "$(lab sh ada true 2> /dev/null; echo $?)"
check "a host's name with a slash: exit code" 2 "$(lab up ../ada 2> /dev/null; echo $?)"
check "an unknown option: exit code" 2 "$(lab up ada --colour red 2> /dev/null; echo $?)"
check "no such disk: exit code" 1 "$(lab up ada --disks d7 2> /dev/null; echo $?)"
lab disks 3
echo "brought along" > "$ZFSHA_LAB_STATE/file"
truncate -s 512 "$ZFSHA_LAB_STATE/file"

say "two hosts"
lab up ada --file "extra=$ZFSHA_LAB_STATE/file" zfs.zfs_multihost_interval=250 || die "ada did not boot"
lab up bob --fragile d2 --hostid 0x1234abcd zfs.zfs_multihost_interval=250 || die "bob did not boot"
check "their names" "ada bob" "$(on ada hostname) $(on bob hostname)"
check "their host ids, by ZFS" "a001 1234abcd" "$(for host in ada bob; do on "$host" printf %x '$(cat /sys/module/spl/parameters/spl_hostid)'; echo; done | words)"
check "a module parameter" 250 "$(on bob cat /sys/module/zfs/parameters/zfs_multihost_interval)"
check_matches "OpenZFS, program and module" 'zfs-2[.]([^ ]*) zfs-kmod-2[.].*' "$(on ada zpool version | words)"
check "a file as a disk" "brought along" "$(on ada head -n 1 $by_id-extra)"
check "output and exit code of a command" "out 7" "$({ on ada 'echo out; exit 7'; echo $?; } | words)"
check "they reach each other" 0 "$(on ada 'ping -c 1 -W 5 10.9.9.2 > /dev/null'; echo $?)"

say "a pool moves"
on ada "udevadm settle; zpool create -o cachefile=none -o multihost=on tank mirror $by_id-d0 $by_id-d1 && echo kept > /tank/file && zpool export tank" || die "the pool could not be made"
on bob "for d in d0 d1; do blockdev --rereadpt $by_id-\$d; done; udevadm settle"
check "imported by the other" 0 "$(on bob "zpool import -d /dev/disk/by-id -o cachefile=none tank" > "$logs/import" 2>&1; echo $?)"
check "with its file, and multihost on" "kept on" "$(on bob 'cat /tank/file; zpool get -H -o value multihost tank' | words)"
check "refused to the first" 1 "$(on ada "zpool import -f -d /dev/disk/by-id tank" > "$logs/import" 2>&1; echo $?)"

say "the days that are bad"
lab freeze ada
check "frozen" frozen "$(state_of ada)"
check "a frozen host answers" no "$(answers ada 2> /dev/null && echo yes || echo no)"
lab thaw ada
await "a thawed host answers" 60 answers ada
lab unplug ada peers
check "unplugged from the others: reached by them" no "$(on bob 'ping -c 1 -W 3 10.9.9.1 > /dev/null' && echo yes || echo no)"
check "unplugged from the others: reached from here" yes "$(answers ada && echo yes || echo no)"
lab plug ada peers
check "plugged again: reached by them" yes "$(on bob 'ping -c 1 -W 10 10.9.9.1 > /dev/null' && echo yes || echo no)"
check "a disk that is not fragile: exit code" 1 "$(lab cut bob d0 2> /dev/null; echo $?)"
check "a fragile disk" read "$(reads bob d2 10)"
lab cut bob d2
check "cut: bob" "" "$(reads bob d2 10)"
check "cut: ada" read "$(reads ada d2 10)"
lab mend bob d2
gives_again() { [ "$(reads bob d2 10)" = read ]; }
await "mended: bob" 20 gives_again
lab hang bob d2
reads bob d2 5 > "$logs/read"
check "hung: timeout's exit code" 124 $?
lab mend bob d2
check "mended once more" read "$(reads bob d2 30)"

say "a snapshot, and power loss"
on ada 'echo remembered > /run/note'
check "snapshot: exit code" 0 "$(lab snapshot ada > "$logs/snapshot" 2>&1; echo $?)"
lab kill ada
check "killed" down "$(state_of ada)"
began=$SECONDS
lab restore ada || die "ada was not restored"
say "restored in $((SECONDS - began)) s"
check "what it had in memory" remembered "$(on ada cat /run/note)"
check_matches "its clock is off by, in seconds" '-?[0-5]' "$(($(on ada date +%s) - $(date +%s)))"
lab down
check "everything is down" "down down" "$(state_of ada) $(state_of bob)"
finish
