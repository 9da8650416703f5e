#!/bin/bash
# Two virtual hosts with real OpenZFS, an agent in each, the server and the bus outside: one switchover, one import by hand that
# ZFS refuses, one takeover that ZFS refuses. Judged by the disks and by ZFS first, then by the event stream. See docs/lab.md.
set -u -o pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lab.sh"
planned=53   # so that a check that is left out is noticed

# ---- what is looked at ----------------------------------------------------------------------------------------------------

# The pools that ZFS has imported on a host, with their health.
imported_on() { on "$1" zpool list -H -o name,health | tr '\t' ' '; }

# What the disks say, read on the given host: whether the pool is active, and under which host's name.
label_by() { on "$1" zdb -l /dev/disk/by-id/virtio-d0-part1 | sed -n "s/^    state: 0$/active/p; s/^    hostname: '\(.*\)'$/\1/p" | words; }

sum_on() { on "$1" 'sha256sum < /tank/file | cut -c 1-64'; }

pool_is() { get /pools/tank && read_json "\$.$1"; }

is_held_by() { [ "$(pool_is holder)" = "$1" ]; }

move_is() { get "/moves/$1" && read_json "\$.$2"; }

has_ended() { case $(move_is "$1" state) in '' | Running) return 1 ;; esac; }

history() { get "/pools/tank/history?limit=10000"; cp "$answer" "$logs/history.json"; }

are_in_session() { get /hosts && [ "$(read_json '$[*] ? (@.alive == true).host.name' | sort | words)" = "$1" ]; }

open_alerts() { get '/alerts?open=true' && read_json '$[*].kind' | sort | words; }

# Whether the server has taken in all that was sent to it; a message that is to fall due later does not count.
is_quiet() { [ "$(sql zfsha <<< "select count(*) from zfsha.messages where queue = 'server' and (attempts > 0 or due_at <= now())")" = 0 ]; }

# events REQUEST TYPE...: the events of these types that belong to a request, in the order of the stream, each with its host.
events() {
  local request=$1 types; shift
  types=$(printf ' || @.type == "%s"' "$@")
  read_json "\$[*] ? (@.request == \"$request\" && (${types# || }))" \
    "concat_ws(' ', v ->> 'type', coalesce(v -> 'data' ->> 'Host', v -> 'data' ->> 'Holder'))" | paste -sd , | sed 's/,/, /g'
}

# event REQUEST TYPE MEMBER: of the event of this type that belongs to a request.
event() { read_json "\$[*] ? (@.request == \"$1\" && @.type == \"$2\").data.$3"; }

# How many events of a type there are in all.
count() { read_json "\$[*] ? (@.type == \"$1\")" | wc -l; }

# How often the stream has said that a host held the pool.
holdings_of() { history; read_json "\$[*] ? (@.host == \"$1\" && (@.data.Sight.Presence == \"ReadWrite\" || @.data.Sight.Presence == \"Imported\"))" | wc -l; }

b_holds_the_pool_unharmed() {
  check "$1: pools on a, by ZFS" "" "$(imported_on a)"
  check "$1: pools on b, by ZFS" "tank ONLINE" "$(imported_on b)"
  check "$1: the label on the disks, read on a" "active hostb" "$(label_by a)"
  check "$1: the file's checksum on b" "$sum" "$(sum_on b)"
  check "$1: writing on b" "written" "$(on b 'date > /tank/written && zpool sync tank && echo written')"
}

# ---- the scenario ---------------------------------------------------------------------------------------------------------

open_lab
say "building the server and a self-contained agent"
build_programs
go_first
say "starting PostgreSQL and the server"
start_postgres
# An emulated host on a busy machine may stop for seconds: the lease is longer than on real ones.
start_server --lease-seconds 10
say "booting two hosts"
start_hosts zfs.zfs_multihost_interval=500

# zpool partitions the disks and looks at once for what it made, by names that udev may be making anew just then.
make_pool() { on a "udevadm settle; zpool create $1 -o cachefile=none -o multihost=on tank mirror /dev/disk/by-id/virtio-d0 /dev/disk/by-id/virtio-d1"; }
make_pool '' || make_pool -f || die "the pool could not be made on a"
on a 'dd if=/dev/urandom of=/tank/file bs=1M count=8 2> /dev/null && zpool sync tank' || die "the file could not be written"
on b 'for d in d0 d1; do blockdev --rereadpt /dev/disk/by-id/virtio-$d; done; udevadm settle' || die "b does not see the partitions that a made"
sum=$(sum_on a)
say "starting an agent in each"
for host in a b; do start_agent "$host"; done
await "both hosts are in session" 240 are_in_session "a b"
await "the pool is known to be held by a" 60 is_held_by a
check "multihost, as the agent read it" true "$(pool_is multihost)"
check "claimed by" "a, epoch 1" "$(pool_is claimant), epoch $(pool_is epoch)"

say "1. switchover to b, asked for on the bus"
message='{ "specversion": "1.0", "id": "move-1", "source": "/lab/smoke", "type": "zfsha.pool.switchover", "subject": "tank",
  "data": { "pool": "tank", "to": "b", "by": "lab", "reason": "smoke" } }'
put_message "$message"
await "the switchover ends" 240 has_ended move-1
check "switchover: state" Completed "$(move_is move-1 state)"
b_holds_the_pool_unharmed switchover
await "everything is told" 60 is_quiet
history
check "switchover: its events, in order" \
  "switchover_requested, switchover_started, export_started a, export_succeeded a, ownership_released a, ownership_claimed b, import_started b, import_succeeded b, switchover_completed b" \
  "$(events move-1 switchover_{requested,started,completed,aborted,halted} {export,import}_{started,succeeded,refused,failed} ownership_{claimed,released})"
check "switchover: epoch released, epoch claimed" "1, 2" "$(event move-1 ownership_released Epoch), $(event move-1 ownership_claimed Epoch)"
check_matches "switchover: orders carried out" "move-1/[0-9]+/Export/[1-8] move-1/[0-9]+/Import/[1-8]" "$(event move-1 export_succeeded Order) $(event move-1 import_succeeded Order)"
check "switchover: exit codes of export and import" "0 0" "$(event move-1 export_succeeded Run.ExitCode) $(event move-1 import_succeeded Run.ExitCode)"
check "switchover: import without force" "zpool import -o cachefile=none -d /dev/disk/by-id/virtio-d0-part1 -d /dev/disk/by-id/virtio-d1-part1 $(pool_is pool)" \
  "$(history; event move-1 import_started 'Arguments[*]' | words)"
check "switchover: holder and claimant" "b b" "$(pool_is holder) $(pool_is claimant)"
check "switchover: open alerts" "" "$(open_alerts)"
put_message "$message"
await "the same message once more is taken in" 60 is_quiet
check "switchover: requested once, though put twice" 1 "$(history; count switchover_requested)"
check "switchover: dead letters" "" "$(get /dead-letters && read_json '$[*].detail')"

say "2. zpool import -f by hand on a, while b holds the pool"
held=$(holdings_of a)
refusal=$(on a zpool import -f -d /dev/disk/by-id tank 2>&1); status=$?
check "by hand: exit code" 1 "$status"
check_matches "by hand: ZFS's words" "cannot import 'tank': pool is imported on .*hostb.*" "$(head -1 <<< "$refusal")"
b_holds_the_pool_unharmed "by hand"
await "everything is told" 60 is_quiet
check "by hand: events that say that a held the pool since" 0 "$(($(holdings_of a) - held))"
check "by hand: conflicts" 0 "$(history; count conflict_detected)"
check "by hand: holder and claimant" "b b" "$(pool_is holder) $(pool_is claimant)"
check "by hand: open alerts" "" "$(open_alerts)"

say "3. b's agent killed alone, and a failover to a that rests on MMP"
kill_agent b || die "b's agent could not be killed"
await "b's lease is lost" 60 are_in_session a
check "failover: policy set" 200 "$(send PUT /pools/tank/policy '{ "automatic": false, "fencing": "MmpAlone", "targets": [], "by": "lab" }')"
check "failover: accepted" 202 "$(send POST /pools/tank/failovers '{ "id": "move-2", "to": "a", "by": "lab", "reason": "smoke" }')"
await "the failover ends" 240 has_ended move-2
check "failover: state" Halted "$(move_is move-2 state)"
b_holds_the_pool_unharmed failover
await "everything is told" 60 is_quiet
history
check "failover: its events, in order" \
  "failover_requested, failover_started, pool_scanned a, ownership_unverified, ownership_released b, ownership_claimed a, pool_scanned a, import_started a, import_refused a, ownership_unverified, ownership_released a, failover_halted" \
  "$(events move-2 failover_{requested,started,completed,aborted,halted} pool_scanned {export,import}_{started,succeeded,refused,failed} ownership_{claimed,released,unverified})"
check "failover: label that a read, before the order and before the force" "Active hostb true" \
  "$(for member in State HostName MmpActive; do event move-2 pool_scanned "Label.$member" | uniq; done | words)"
check "failover: class of the refusal" ActiveElsewhere "$(event move-2 import_refused Failure)"
check_matches "failover: ZFS's words, recorded" "cannot import '.*': pool is imported on .*hostb.*" "$(event move-2 import_refused Run.Stderr | head -1)"
check "failover: the import was forced" "-f" "$(event move-2 import_started 'Arguments[*]' | grep -x -e -f)"
check "failover: halted because" HolderStillActive "$(event move-2 failover_halted Reason)"
check "failover: holder and claimant" " " "$(pool_is holder) $(pool_is claimant)"
check "failover: conflicts" 0 "$(history; count conflict_detected)"
check "failover: open alerts" "HostLost MoveHalted" "$(open_alerts)"

say "4. b's agent is back"
start_agent b
await "both hosts are in session again" 240 are_in_session "a b"
await "the pool is known to be held by b" 60 is_held_by b
check "return: halt acknowledged" 200 "$(send POST /pools/tank/halt-acknowledgements '{ "by": "lab", "comment": "b was alive" }')"
check "return: verified, claimed by" "true b" "$(pool_is verified) $(pool_is claimant)"
check "return: open alerts" "" "$(open_alerts)"
b_holds_the_pool_unharmed return
finish
