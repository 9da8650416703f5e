#!/usr/bin/env bash
# Shows the main job on this machine alone: three fake hosts share fake disks with three pools, an agent on each host, one
# server with a PostgreSQL of its own. Everything lives in one temporary directory and is stopped at the end.
#
#   ops/demo.sh           watch it; about a minute after the build
#   ops/demo.sh --keep    the same, then leave it running and say how to go on
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
source "$(dirname -- "${BASH_SOURCE[0]}")/setup.sh"

keep=no
case ${1-} in
    '') ;;
    --keep) keep=yes ;;
    *) sed -n '2,7s/^# \{0,1\}//p' "$0"; [ "$1" = --help ] && exit 0 || exit 2 ;;
esac

bold='' dim='' plain=''
if [ -t 1 ]; then bold=$'\e[1m' dim=$'\e[2m' plain=$'\e[0m'; fi
began=$SECONDS
step=0

say() { printf '%s\n' "$*"; }
chapter() { step=$((step + 1)); printf '\n%s%d. %s%s\n' "$bold" "$step" "$*" "$plain"; }
# Shows a command as a user would type it, and runs it. The exit code is the command's.
run() { printf '%s$ %s%s\n' "$dim" "$(typed "$@")" "$plain"; "$@"; }
typed() { local word line=''; for word in "$@"; do [[ $word == *' '* ]] && word="'$word'"; line+="$word "; done; printf '%s' "${line% }"; }

# ---- what runs, and how it is stopped --------------------------------------------------------------------------------

declare -A pids=() # by name: server, kernel-a, agent-a ...

start() { # NAME COMMAND...: in a session of its own, so that Ctrl-C reaches this script alone, which then stops it in order
    local name=$1
    shift
    setsid "$@" >"$dir/log/$name.log" 2>&1 </dev/null &
    pids[$name]=$!
    disown "$!" # The shell would report its end, which is part of the show.
}

stop() { # NAME SIGNAL
    local pid=${pids[$1]-} tries=0
    [ -n "$pid" ] || return 0
    unset "pids[$1]"
    kill "-$2" "$pid" 2>/dev/null || true
    while kill -0 "$pid" 2>/dev/null; do
        tries=$((tries + 1))
        [ "$tries" -le 200 ] || { kill -KILL "$pid" 2>/dev/null || true; }
        sleep 0.05
    done
}

stop_all() {
    local name postmaster
    for name in "${!pids[@]}"; do [[ $name == agent-* ]] && stop "$name" TERM; done
    [ -z "${pids[server]-}" ] || stop server TERM
    for name in "${!pids[@]}"; do stop "$name" TERM; done
    # The server stops its PostgreSQL; not if it was killed.
    if [ -f "$dir/server/data/postmaster.pid" ]; then
        read -r postmaster <"$dir/server/data/postmaster.pid"
        kill -INT "$postmaster" 2>/dev/null || true
    fi
}

finish() {
    local code=$?
    trap - EXIT INT TERM
    if [ "$keep" = yes ] && [ "$code" -eq 0 ]; then return; fi
    stop_all
    if [ "$code" -eq 0 ]; then say "Everything is stopped. The logs are in $dir/log."; else
        say "The demonstration did not come to its end (exit code $code). Everything is stopped; the logs are in $dir/log." >&2
    fi
    exit "$code"
}

wait_for() { # SECONDS WHAT COMMAND...: until the command succeeds
    local until=$((SECONDS + $1)) what=$2
    shift 2
    until "$@" >/dev/null 2>&1; do
        [ "$SECONDS" -lt "$until" ] || fail "Not within its time: $what"
        sleep 0.1
    done
}

# ---- build -----------------------------------------------------------------------------------------------------------

need_dotnet
need_postgresql
dir=$(mktemp -d "${TMPDIR:-/tmp}/zfsha-demo.XXXXXX")
chmod 755 "$dir" # PostgreSQL will not run as root; its own directories below are private.
mkdir "$dir/log"
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

say "Building (a minute or two the first time) ..."
for project in Server Agent Simulator Cli; do
    dotnet build -c Release -v quiet "$root/src/ZfsHaEvents.$project" >"$dir/log/build.log" 2>&1 || { cat "$dir/log/build.log" >&2; fail "The build failed."; }
    PATH=$root/src/ZfsHaEvents.$project/bin/Release/net10.0:$PATH
done
built=$SECONDS

# ---- the parts -------------------------------------------------------------------------------------------------------

world=$dir/world
on() { local host=$1; shift; printf '%s%s$ %s%s\n' "$dim" "$host" "$*" "$plain"; PATH=$world/hosts/$host/sbin:$PATH "$@"; } # types a command on a host

boot() {
    start "kernel-$1" zfs-simulator kernel "$world/hosts/$1"
    wait_for 10 "the kernel of $1 is up" grep -q ready "$dir/log/kernel-$1.log"
}

start_agent() {
    start "agent-$1" env ZFSHA_HOST="$1" ZFSHA_HOST_ROOT="$world/hosts/$1" ZFSHA_SBIN="$world/hosts/$1/sbin" \
        ZFSHA_STATE_DIR="$dir/agents/$1/state" ZFSHA_RUN_DIR="$dir/agents/$1/run" \
        ZFSHA_DATABASE="Host=$dir/server/socket;Username=zfsha;Database=zfsha" zfsha-agent
}

lose_power() { # kernel and agent at once
    kill -KILL "${pids[agent-$1]}" "${pids[kernel-$1]}"
    zfs-simulator crash "$world/hosts/$1" >/dev/null 2>&1 || true
    stop "agent-$1" KILL
    stop "kernel-$1" KILL
}

in_session() { [ "$(zfsha hosts --json | grep -o '"alive": *true' | wc -l)" -eq "$1" ]; }
pools_known() { [ "$(zfsha pools --json | grep -o '"presence": *"ReadWrite"' | wc -l)" -eq 3 ]; }
latest_move() { zfsha moves --json --pool "$1" | grep -o '"id": *"[^"]*"' | head -1 | cut -d'"' -f4; }
move_is_over() { zfsha dossier "$1" --json | grep -q '"state": *"\(Completed\|Aborted\|Halted\)"'; }
another_move_is_over() { local id; id=$(latest_move "$1") && [ -n "$id" ] && [ "$id" != "$2" ] && move_is_over "$id"; }

until port=$((20000 + RANDOM % 10000)) && is_free_port $port; do :; done
export ZFSHA_SERVER=http://127.0.0.1:$port

chapter "Three hosts, shared disks, a server with its own PostgreSQL"
zfs-simulator world "$world" --hosts a,b,c --disks 6 --time-scale 0.1 --export-seconds 0.3 --import-seconds 0.5 >/dev/null
for host in a b c; do boot "$host"; done
disk=/dev/disk/by-id/virtio-d
on a zpool create -o cachefile=none -o multihost=on tank1 mirror ${disk}0 ${disk}1
on a zpool create -o cachefile=none -o multihost=on tank2 mirror ${disk}2 ${disk}3
on c zpool create -o cachefile=none -o multihost=off tank3 mirror ${disk}4 ${disk}5
start server zfsha-server --data "$dir/server" --urls "$ZFSHA_SERVER"
wait_for 30 "the server answers" zfsha hosts
for host in a b c; do start_agent "$host"; done
wait_for 20 "three hosts are in session and their pools are known" eval 'in_session 3 && pools_known'
say "ZFS's 35 s activity check lasts 3.5 s here; all else runs at its real pace."
run zfsha pools

chapter "A switchover, asked for by a message on the bus"
cat >"$dir/switchover.json" <<JSON
{
  "specversion": "1.0",
  "id": "patch-day-tank1",
  "source": "/runbooks/patch-day",
  "type": "zfsha.pool.switchover",
  "subject": "tank1",
  "data": { "pool": "tank1", "to": "b", "by": "alice", "reason": "kernel update on a" }
}
JSON
cat "$dir/switchover.json"
run zfsha bus send "$dir/switchover.json"
wait_for 30 "the switchover is over" move_is_over patch-day-tank1
run zfsha dossier patch-day-tank1
run zfsha owner tank1
before_loss=$(date -u +%Y-%m-%dT%H:%M:%S.%3NZ)

chapter "Host b loses power: its kernel and its agent are gone, and tank1 is taken over"
run zfsha policy tank1 --automatic on --fencing mmp-alone --targets c,a
lose_power b
say "b is gone. Nobody types anything; the server waits for its lease, and ZFS on c watches the disks before it imports."
wait_for 40 "tank1 is taken over" another_move_is_over tank1 patch-day-tank1
takeover=$(latest_move tank1)
run zfsha dossier "$takeover"

chapter "Host a loses its agent alone: tank2 lives on there, and ZFS refuses the takeover"
run zfsha policy tank2 --automatic on --fencing mmp-alone --targets c
kill -KILL "${pids[agent-a]}"
stop agent-a KILL
wait_for 40 "the takeover of tank2 has halted" another_move_is_over tank2 ''
run zfsha dossier "$(latest_move tank2)"
say "A lost lease is a reason to look, never a proof. Somebody wrote to the disks, so nobody imported; a person decides."
start_agent a
wait_for 20 "a is in session again" in_session 2
run zfsha acknowledge tank2 --comment "only the agent had died on a"

chapter "A pool without multihost protection is imported on a second host, behind the service's back"
on a zpool import -f tank3
wait_for 10 "an alert is raised" eval 'zfsha alerts --open --json | grep -q TwoHolders'
run zfsha alerts --open
really=$(grep '"op": *"import"' "$world/truth.log" | tail -1 | grep -o '"at": *"[^"]*"' | cut -d'"' -f4)
raised=$(zfsha alerts --open --json | tr '\n' ' ' | grep -o '"kind": *"TwoHolders".*' | grep -o '"raisedAt": *"[^"]*"' | head -1 | cut -d'"' -f4)
delay=$(( ($(date -d "$raised" +%s%N) - $(date -d "$really" +%s%N)) / 1000000 ))
say "${bold}The second import took effect on a at ${really:11:12}; the alert was raised $delay ms later.${plain}"

chapter "A request that is refused, and why"
code=0
run zfsha switchover tank3 --to c --reason "rebalance" || code=$?
say "(exit code $code)"

chapter "What an SRE asks afterwards"
run zfsha history tank1 --limit 12 --newest-first
say
say "Who held tank1 just before b lost power?"
run zfsha owner tank1 --at "$before_loss"

say
say "${bold}Done${plain} in $((SECONDS - built)) s after the build ($((built - began)) s)."
if [ "$keep" = yes ]; then
    { printf '#!/bin/sh\n# Stops this demonstration.\n'
      for name in agent-a agent-b agent-c server kernel-a kernel-b kernel-c; do [ -z "${pids[$name]-}" ] || printf 'kill %s\n' "${pids[$name]}"; done; } >"$dir/stop"
    chmod 755 "$dir/stop"
    cat <<TEXT

It goes on running. In your shell:

  export ZFSHA_SERVER=$ZFSHA_SERVER PATH=$root/src/ZfsHaEvents.Cli/bin/Release/net10.0:\$PATH
  zfsha pools                               who holds what
  zfsha switchover tank1 --to a             move a pool and watch it
  curl -s $ZFSHA_SERVER/pools/tank1         the same over HTTP
  $world/hosts/a/sbin/zpool status          what host a sees; type zpool and zfs there as you like
  psql -h $dir/server/socket -U zfsha zfsha
  $dir/stop                                 stops it all

The logs are in $dir/log.
TEXT
fi
