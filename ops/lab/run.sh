#!/usr/bin/env bash
# Virtual hosts with real OpenZFS that share disks, under QEMU's software emulation: neither root nor KVM is needed.
#
#   run.sh disks COUNT [SIZE]         makes blank disks d0, d1 ... (256M each); no host may be up
#   run.sh up HOST [OPTION...] [KERNEL-PARAMETER...]
#                                     boots a host and waits until it takes commands
#       --disks 'd0 d1'               the disks it sees (all)
#       --fragile 'd0 d1'             those of them that can be cut and hung
#       --file NAME=PATH              a file as a read-only disk, /dev/disk/by-id/virtio-NAME; may be repeated
#       --hostid HEX                  its host id, 0 for none (a001 for the first host, and so on)
#       --memory MIB                  768
#       --processors COUNT            1
#   run.sh restore HOST               starts it from its snapshot, as it was then, with the disks as they are now
#   run.sh sh HOST COMMAND...         runs a command in its shell; input, output and exit code are the command's
#   run.sh put HOST FILE DESTINATION  copies a file there, with its permissions
#   run.sh kill HOST                  power loss
#   run.sh freeze HOST | thaw HOST    stops and continues the whole machine
#   run.sh unplug HOST [LINK]         takes a network cable out, and
#   run.sh plug HOST [LINK]           puts it back; LINK is outside (eth0, with this machine and for 'sh'), peers (eth1, with
#                                     the other hosts) or both (that is the default)
#   run.sh cut HOST DISK              from now on this host alone gets errors from a fragile disk, or
#   run.sh hang HOST DISK             no answer at all, until
#   run.sh mend HOST DISK             makes it work again
#   run.sh snapshot HOST              saves a running host, which should have no pool imported, and goes on running it
#   run.sh list                       the hosts: name, number, up, frozen or down, ssh port
#   run.sh console HOST               what its console showed since it was started
#   run.sh down                       power loss for all of them; the disks stay
#
# Before the verb: --artefact DIRECTORY or ZFSHA_LAB_DIR, where vmlinuz and initrd.img are (made by build.sh), only read; and
# --state DIRECTORY or ZFSHA_LAB_STATE, where disks, snapshots and what is known of the hosts are kept.
#
# A host is named by small letters, digits and '-'. It gets a number when it is first started, from which its host id, a001 on, and its
# address on the hosts' network, 10.9.9.1 on, follow. It reaches this machine's loopback as 10.0.2.2. Everything listens on 127.0.0.1 only.
# Exit codes: that of the command for 'sh'; else 0 done, 1 failed, 2 not understood.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
source "$(dirname -- "${BASH_SOURCE[0]}")/../setup.sh"
shopt -s nullglob

usage() {
    sed -n '2,35s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
    exit "$1"
}

misuse() {
    printf '%s\n' "$*" >&2
    exit 2
}

# ---- processes -------------------------------------------------------------------------------------------------------

# When a process started, in ticks since the boot; nothing if it has ended, also if nobody has buried it yet.
started_at() { sed -n 's/^.*) //; /^[^ZX]/p' "/proc/$1/stat" 2>/dev/null | cut -d ' ' -f 20; }

remember() { printf '%s %s\n' "$2" "$(started_at "$2")" >"$1"; } # FILE PID

# process FILE: the pid that was remembered there, if it is still that process and no later one with its number.
process() {
    local pid start
    [ -e "$1" ] && read -r pid start <"$1" && [ -n "$start" ] && [ "$(started_at "$pid")" = "$start" ] && echo "$pid"
}

is_stopped() { [ "$(sed 's/^.*) //' "/proc/$1/stat" 2>/dev/null | cut -c 1)" = T ]; }

stop() { # FILE: at once, and waits until it is gone
    local pid
    if pid=$(process "$1"); then
        kill -KILL "$pid" 2>/dev/null || true
        while process "$1" >/dev/null; do sleep 0.02; done
    fi
    rm -f "$1"
}

# ---- what there is ---------------------------------------------------------------------------------------------------

take_host() { # NAME
    [[ $1 =~ ^[a-z][a-z0-9-]{0,19}$ ]] || misuse "'$1' cannot be a host's name: small letters, digits and '-', a letter first, at most 20"
    host=$1
    at=$state/hosts/$host
}

take_running_host() {
    take_host "$1"
    machine=$(process "$at/machine") || fail "Host $host is not up; start it with:  run.sh up $host"
}

all_disks() {
    local path
    for path in "$state"/disks/d*; do basename "$path"; done | sort -V
}

need_disk() { [ -n "$1" ] && [[ $1 =~ ^d[0-9]+$ ]] && [ -e "$state/disks/$1" ] || fail "There is no disk '$1'; there are: $(all_disks | tr '\n' ' ')"; }

hosts_that_are_up() {
    local machine_file
    for machine_file in "$state"/hosts/*/machine; do
        ! process "$machine_file" >/dev/null || basename "$(dirname "$machine_file")"
    done
}

locked() { # COMMAND...: nobody else changes the lab's state meanwhile
    exec 8>"$state/lock"
    flock --timeout 120 8 || fail "Another run.sh has kept $state/lock for two minutes"
    "$@"
    exec 8>&-
}

# ---- disks -----------------------------------------------------------------------------------------------------------

make_disks() { # COUNT SIZE
    [[ $1 =~ ^[0-9]{1,3}$ ]] && [ "$1" -le 192 ] || misuse "'$1' is no number of disks; a host takes up to 192"
    [[ $2 =~ ^[1-9][0-9]*[KMGT]?$ ]] || misuse "'$2' is no size; say 256M or 1G"
    local up disk i
    up=$(hosts_that_are_up)
    [ -z "$up" ] || fail "Disks are not taken from under hosts that are up: ${up//$'\n'/ }; first:  run.sh down"
    mkdir -p "$state/disks"
    for disk in $(all_disks); do rm "$state/disks/$disk"; done
    for ((i = 0; i < 10#$1; i++)); do truncate --size "$2" "$state/disks/d$i"; done
}

# A fragile disk reaches the host through a server of its own, which can be killed or stopped without touching the machine.
serve_disk() { # DISK
    rm -f "$at/$1.socket"
    qemu-nbd --persistent --shared=4 --socket="$at/$1.socket" --export-name=disk --cache=none --discard=unmap --image-opts \
        "driver=raw,file.driver=file,file.locking=off,file.cache.direct=on,file.filename=$state/disks/$1" </dev/null >"$at/$1.log" 2>&1 &
    remember "$at/$1.server" $!
    for _ in {1..250}; do
        [ ! -S "$at/$1.socket" ] || return 0
        process "$at/$1.server" >/dev/null || break
        sleep 0.02
    done
    fail "Disk $1 cannot be served to $host: $(cat "$at/$1.log")"
}

take_fragile_disk() { # DISK
    need_disk "$1"
    [ -e "$at/$1.server" ] || fail "Disk $1 of host $host is not fragile; start the host with:  run.sh up $host --fragile $1"
}

cut_disk() {
    take_fragile_disk "$1"
    local pid
    if pid=$(process "$at/$1.server"); then kill -KILL "$pid"; fi
    rm -f "$at/$1.socket"
}

hang_disk() {
    take_fragile_disk "$1"
    local pid
    pid=$(process "$at/$1.server") || fail "Disk $1 of host $host is cut; first:  run.sh mend $host $1"
    kill -STOP "$pid"
}

mend_disk() {
    take_fragile_disk "$1"
    local pid
    if pid=$(process "$at/$1.server"); then kill -CONT "$pid"; else serve_disk "$1"; fi
}

# ---- QEMU's control protocol -----------------------------------------------------------------------------------------

# ask JSON-MEMBERS: one command to the machine; prints its answer. Over two named pipes, so that nothing else is needed to speak it.
ask() {
    local id=$RANDOM-$$ line until=$((SECONDS + 15))
    ! is_stopped "$machine" || fail "Host $host is frozen; first:  run.sh thaw $host"
    exec 5>"$at/control.lock" 6<>"$at/control.in" 7<>"$at/control.out" # both ways: QEMU may not have opened its ends yet
    flock --timeout 20 5 || fail "Another run.sh is talking to host $host and does not end"
    printf '{ "id": "%s", %s }\n' "$id" "$1" >&6
    while [ "$SECONDS" -lt "$until" ]; do
        if read -r -t 1 -u 7 line && [[ $line == *"\"id\": \"$id\""* ]]; then
            exec 5>&- 6>&- 7>&-
            [[ $line != *'"error"'* ]] || fail "QEMU refused { $1 }: $line"
            printf '%s\n' "$line"
            return
        fi
        process "$at/machine" >/dev/null || fail "Host $host is gone; QEMU said: $(cat "$at/qemu.log")"
    done
    fail "QEMU did not answer { $1 } within 15 s"
}

set_links() { # LINK true|false
    local links link
    case $1 in
        outside | peers) links=("$1") ;;
        both) links=(outside peers) ;;
        *) misuse "'$1' is no network link of a host: outside, peers or both" ;;
    esac
    for link in "${links[@]}"; do ask "\"execute\": \"set_link\", \"arguments\": { \"name\": \"$link\", \"up\": $2 }" >/dev/null; done
}

# ---- starting --------------------------------------------------------------------------------------------------------

# The archive format of initial file systems (newc), as far as one more file needs it.
archive_entry() { # INODE NAME MODE FILE
    local size
    size=$(stat -c %s "$4")
    printf '070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%s\0' "$1" "0x$3" 0 0 1 0 "$size" 0 0 0 0 $((${#2} + 1)) 0 "$2"
    head -c $(((4 - (110 + ${#2} + 1) % 4) % 4)) /dev/zero
    cat "$4"
    head -c $(((4 - size % 4) % 4)) /dev/zero
}

# The kernel as it is inside vmlinuz: an emulated machine takes seconds to unpack what this one does in a blink. Where the packed part
# lies is in its header (the x86 boot protocol, 2.08); the four bytes at its end are its unpacked size.
unpack_kernel() {
    local sectors offset length
    [ "$(od -An -c -j 514 -N 4 "$1" | tr -d ' ')" = HdrS ] || return 1
    sectors=$(number_in "$1" 497 1) offset=$(number_in "$1" 584 4) length=$(number_in "$1" 588 4)
    tail -c +$(((sectors + 1) * 512 + offset + 1)) "$1" | head -c $((length - 4)) | zstd --decompress --quiet --stdout
}

number_in() { od -An -v -t "u$3" -j "$2" -N "$3" "$1" | tr -d ' '; } # FILE OFFSET BYTES

is_elf() { [ "$(head -c 4 "$1")" = $'\x7fELF' ]; }

# Once per lab: its key, the unpacked kernel, and the unpacked file system with that key added.
prepare_artefact() {
    local file
    for file in vmlinuz initrd.img; do
        [ -r "$artefact/$file" ] || fail "$artefact has no $file; make both with:  ops/lab/build.sh $artefact"
    done
    [ -e "$state/key" ] || ssh-keygen -q -t ed25519 -N '' -C lab -f "$state/key"
    if [ ! "$state/kernel" -nt "$artefact/vmlinuz" ]; then
        unpack_kernel "$artefact/vmlinuz" >"$state/kernel.new" 2>/dev/null || true
        is_elf "$state/kernel.new" || cp "$artefact/vmlinuz" "$state/kernel.new" # packed in another way; it unpacks itself
        mv "$state/kernel.new" "$state/kernel"
    fi
    if [ ! "$state/initrd" -nt "$artefact/initrd.img" ] || [ ! "$state/initrd" -nt "$state/key" ]; then
        {
            zstd --decompress --quiet --stdout "$artefact/initrd.img"
            archive_entry 1 root/.ssh/authorized_keys 8180 "$state/key.pub"
            archive_entry 0 'TRAILER!!!' 0 /dev/null
        } >"$state/initrd.new" || fail "$artefact/initrd.img cannot be unpacked"
        mv "$state/initrd.new" "$state/initrd"
    fi
    [ -e "$state/network" ] || echo "239.$((RANDOM % 256)).$((RANDOM % 256)).$((1 + RANDOM % 254)):$((30000 + RANDOM % 2000))" >"$state/network"
}

number_host() {
    local highest=0 known
    mkdir -p "$at"
    [ ! -e "$at/number" ] || return 0
    for known in "$state"/hosts/*/number; do
        known=$(<"$known")
        [ "$known" -le "$highest" ] || highest=$known
    done
    [ "$highest" -lt 254 ] || fail "A lab has room for 254 hosts"
    echo $((highest + 1)) >"$at/number"
}

free_port() {
    local port
    for _ in {1..100}; do
        port=$((22000 + RANDOM % 8000))
        ! is_free_port "$port" || { echo "$port"; return; }
    done
    fail "No port between 22000 and 30000 is free"
}

# Fills machine_arguments, all but where the host starts from and which port of this machine is its own.
describe_machine() { # OPTION... KERNEL-PARAMETER...
    local disks fragile='' files=() hostid memory=768 processors=1 number
    number=$(<"$at/number")
    disks=$(all_disks)
    hostid=$(printf '%x' $((0xa000 + number)))
    while [ $# -gt 0 ] && [[ $1 == --* ]]; do
        [ $# -ge 2 ] || misuse "$1 wants a value"
        case $1 in
            --disks) disks=$2 ;;
            --fragile) fragile=$2 ;;
            --file) files+=("$2") ;;
            --hostid) hostid=${2#0x}; [[ $hostid =~ ^[0-9a-fA-F]{1,8}$ ]] || misuse "'$2' is no host id: one to eight hexadecimal digits"; hostid=$(printf '%x' "0x$hostid") ;;
            --memory) memory=$2; [[ $memory =~ ^[1-9][0-9]{2,5}$ ]] || misuse "'$2' is no size of a memory in MiB" ;;
            --processors) processors=$2; [[ $processors =~ ^[1-9][0-9]?$ ]] || misuse "'$2' is no number of processors" ;;
            *) misuse "up has no option $1; see run.sh --help" ;;
        esac
        shift 2
    done

    # shellcheck disable=SC2054
    machine_arguments=(
        -name "lab-$host" -accel tcg,thread=multi,tb-size=256 -machine pc,usb=off,hpet=off -cpu Nehalem -smp "$processors" -m "$memory"
        -nodefaults -no-user-config -display none -no-reboot
        -chardev "pipe,id=control,path=$at/control" -mon chardev=control,mode=control
        -kernel "$state/kernel" -initrd "$state/initrd"
        # Left to measure the processor's clock while it boots, a kernel on a busy machine may come to one that runs many times too fast.
        -append "console=ttyS0 quiet loglevel=4 panic=1 mitigations=off tsc=reliable clocksource=acpi_pm no_timer_check lab.name=$host lab.hostid=0x$hostid lab.ip=10.9.9.$number/24 $*"
        -device virtio-rng-pci
        -device virtio-net-pci,netdev=outside,romfile=
        -netdev "socket,id=peers,mcast=$(<"$state/network"),localaddr=127.0.0.1"
        -device "virtio-net-pci,netdev=peers,mac=52:54:00:aa:00:$(printf %02x "$number"),romfile="
    )

    local disk file position=0
    fragile_disks=()
    for disk in $disks; do
        need_disk "$disk"
        case " $fragile " in
            *" $disk "*)
                fragile_disks+=("$disk")
                machine_arguments+=(-blockdev "driver=nbd,node-name=file-$disk,server.type=unix,server.path=$at/$disk.socket,export=disk,reconnect-delay=1,cache.direct=on")
                ;;
            *) machine_arguments+=(-blockdev "driver=file,node-name=file-$disk,filename=$state/disks/$disk,locking=off,cache.direct=on,discard=unmap") ;;
        esac
        machine_arguments+=(-blockdev "driver=raw,node-name=$disk,file=file-$disk,cache.direct=on"
            -device "virtio-blk-pci,id=device-$disk,drive=$disk,serial=$disk,share-rw=on,write-cache=off,werror=report,rerror=report,$(slot $position)")
        position=$((position + 1))
    done
    for disk in $fragile; do
        [[ " ${fragile_disks[*]} " == *" $disk "* ]] || fail "Disk $disk is to be fragile, but $host is not to see it; its disks: ${disks//$'\n'/ }"
    done
    for file in "${files[@]}"; do
        [[ $file =~ ^[a-z][a-z0-9-]{0,19}=. ]] || misuse "--file wants NAME=PATH, and '$file' is not"
        disk=${file%%=*} file=$(realpath -- "${file#*=}")
        [ -r "$file" ] || fail "$file cannot be read"
        machine_arguments+=(-blockdev "driver=file,node-name=file-$disk,filename=$file,read-only=on" -blockdev "driver=raw,node-name=$disk,file=file-$disk,read-only=on"
            -device "virtio-blk-pci,id=device-$disk,drive=$disk,serial=$disk,$(slot $position)")
        position=$((position + 1))
    done
    [ "$position" -le 192 ] || fail "A host takes up to 192 disks and files; these are $position"
}

# Eight to a slot of the bus, which has 24 to spare.
slot() { printf 'addr=%x.%x,multifunction=on' $((8 + $1 / 8)) $(($1 % 8)); }

# launch ARGUMENT...: the machine that machine_arguments describe, with a port of its own.
launch() {
    local disk port
    rm -f "$at"/*.{server,socket} "$at/console" "$at/ssh"
    for disk in "${fragile_disks[@]}"; do serve_disk "$disk"; done
    for _ in {1..5}; do
        port=$(free_port)
        rm -f "$at"/control.{in,out}
        mkfifo "$at"/control.{in,out}
        qemu-system-x86_64 "${machine_arguments[@]}" -serial "file:$at/console" -netdev "user,id=outside,hostfwd=tcp:127.0.0.1:$port-:22" "$@" \
            </dev/null >"$at/qemu.log" 2>&1 &
        machine=$!
        remember "$at/machine" "$machine"
        echo "$port" >"$at/port"
        sleep 0.2
        if process "$at/machine" >/dev/null; then return 0; fi
        grep -q 'host forwarding' "$at/qemu.log" || break # Somebody else was quicker to take the port.
    done
    fail "QEMU did not start $host: $(cat "$at/qemu.log")"
}

give_up() {
    local code=$?
    trap - EXIT
    stop_host
    exit "$code"
}

# wait_until SECONDS WHAT COMMAND...
wait_until() {
    local until=$((SECONDS + $1)) what=$2
    shift 2
    until "$@"; do
        process "$at/machine" >/dev/null || fail "Host $host ended while it started: $(cat "$at/qemu.log"; tail -n 5 "$at/console")"
        [ "$SECONDS" -lt "$until" ] || fail "Host $host: $what; its console:
$(tail -n 5 "$at/console")"
        sleep 0.05
    done
}

is_ready() { grep -q LAB-READY "$at/console" 2>/dev/null; }

takes_commands() { on_host 10 true 2>/dev/null; }

begin_start() {
    need_packages qemu-system-x86=qemu-system-x86_64 qemu-utils=qemu-nbd zstd=zstd openssh-client=ssh
    ! process "$at/machine" >/dev/null || fail "Host $host is up already"
    locked prepare_artefact
    locked number_host
    trap give_up EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
}

begin_control() { ask '"execute": "qmp_capabilities"' >/dev/null; }

up() {
    begin_start
    describe_machine "$@"
    printf '%s\0' "${machine_arguments[@]}" >"$at/arguments"
    printf '%s\n' "${fragile_disks[*]}" >"$at/fragile"
    launch
    begin_control
    wait_until 120 "it did not say within two minutes that it is ready" is_ready
    wait_until 30 "it takes no commands" takes_commands
    trap - EXIT
}

restore() {
    [ -e "$at/snapshot" ] || fail "Host $host has no snapshot; make one with:  run.sh snapshot $host"
    begin_start
    mapfile -d '' machine_arguments <"$at/snapshot-arguments"
    read -ra fragile_disks <"$at/snapshot-fragile" || true
    launch -incoming "exec:cat '$at/snapshot'"
    begin_control
    wait_until 60 "its snapshot was not read" has_status paused
    ask '"execute": "cont"' >/dev/null
    wait_until 30 "it takes no commands" takes_commands
    # Its clock and what it knows of the disks are of then.
    on_host 60 "date -s @$(date +%s) > /dev/null; for disk in /sys/block/vd*; do blockdev --rereadpt /dev/\${disk##*/} 2> /dev/null; done; udevadm settle --timeout=10"
    trap - EXIT
}

has_status() { [[ $(ask '"execute": "query-status"') == *"\"status\": \"$1\""* ]]; }

has_migrated() {
    local answer
    answer=$(ask '"execute": "query-migrate"')
    [[ $answer != *'"status": "failed"'* ]] || fail "The snapshot of $host failed: $answer"
    [[ $answer == *'"status": "completed"'* ]]
}

snapshot() {
    on_host 30 'sync; echo 3 > /proc/sys/vm/drop_caches'
    close_ssh
    trap 'ask "\"execute\": \"cont\"" >/dev/null' EXIT # also if what follows fails
    ask '"execute": "stop"' >/dev/null
    ask '"execute": "migrate-set-parameters", "arguments": { "max-bandwidth": 8589934592 }' >/dev/null
    ask "\"execute\": \"migrate\", \"arguments\": { \"uri\": \"exec:cat > '$at/snapshot.new'\" }" >/dev/null
    wait_until 60 "its snapshot was not written" has_migrated
    cp "$at/arguments" "$at/snapshot-arguments"
    cp "$at/fragile" "$at/snapshot-fragile"
    mv "$at/snapshot.new" "$at/snapshot"
}

# ---- using and stopping ----------------------------------------------------------------------------------------------

ssh_options() {
    printf '%s\n' -q -F none -i "$state/key" -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o IdentitiesOnly=yes -o BatchMode=yes \
        -o ConnectTimeout=20 -o ServerAliveInterval=15 -o ServerAliveCountMax=4 -o ControlMaster=auto -o ControlPersist=600 -o ControlPath="$at/ssh" -p "$(<"$at/port")" root@127.0.0.1
}

on_host() { # SECONDS COMMAND
    local options
    mapfile -t options < <(ssh_options)
    timeout "$1" ssh "${options[@]}" "$2" </dev/null
}

close_ssh() { [ ! -S "$at/ssh" ] || ssh -q -F none -o ControlPath="$at/ssh" -O exit lab 2>/dev/null || true; }

run_command() {
    local options
    mapfile -t options < <(ssh_options)
    exec ssh "${options[@]}" "$*"
}

put() { # FILE DESTINATION
    local options
    [ -r "$1" ] || fail "$1 cannot be read"
    mapfile -t options < <(ssh_options)
    exec ssh "${options[@]}" "cat > $(quoted "$2") && chmod $(stat -c %a "$1") $(quoted "$2")" <"$1"
}

quoted() { printf "'%s'" "${1//\'/\'\\\'\'}"; }

stop_host() {
    local server
    close_ssh
    stop "$at/machine"
    for server in "$at"/*.server; do stop "$server"; done
    rm -f "$at"/control.{in,out} "$at"/*.socket "$at/ssh"
}

stop_all() {
    local name
    for name in "$state"/hosts/*/; do
        take_host "$(basename "$name")"
        stop_host
    done
}

list() {
    local directory pid what
    for directory in "$state"/hosts/*/; do
        what=down
        if pid=$(process "$directory/machine"); then
            what=up
            ! is_stopped "$pid" || what=frozen
        fi
        printf '%s\t%s\t%s\t%s\n' "$(basename "$directory")" "$(cat "$directory/number" 2>/dev/null || true)" "$what" "$(cat "$directory/port" 2>/dev/null || true)"
    done
}

# ---- the command line ------------------------------------------------------------------------------------------------

artefact=${ZFSHA_LAB_DIR-} state=${ZFSHA_LAB_STATE-}
while [ $# -gt 0 ]; do
    case $1 in
        --artefact) [ $# -ge 2 ] || usage 2 >&2; artefact=$2; shift 2 ;;
        --state) [ $# -ge 2 ] || usage 2 >&2; state=$2; shift 2 ;;
        --help) usage 0 ;;
        *) break ;;
    esac
done

verb=${1-}
least=1 most=1 # arguments
case $verb in
    list | down) least=0 most=0 ;;
    disks | unplug | plug) most=2 ;;
    up) most=1000 ;;
    sh) least=2 most=1000 ;;
    put) least=3 most=3 ;;
    cut | hang | mend) least=2 most=2 ;;
    restore | kill | freeze | thaw | snapshot | console) ;;
    '') usage 2 >&2 ;;
    *) misuse "There is no verb '$verb'; see run.sh --help" ;;
esac
shift
[ $# -ge $least ] && [ $# -le $most ] || misuse "$verb wants other arguments; see run.sh --help"
[ -n "$state" ] || misuse "Say where the lab's disks and hosts are kept: --state DIRECTORY, or ZFSHA_LAB_STATE"
case $verb in up | restore) [ -n "$artefact" ] || misuse "Say where vmlinuz and initrd.img are: --artefact DIRECTORY, or ZFSHA_LAB_DIR" ;; esac
mkdir -p -- "$state" 2>/dev/null || fail "$state cannot be made"
state=$(cd -- "$state" && pwd)
# The control socket's name has 108 bytes at most, of which ssh wants some for itself.
[ ${#state} -le 55 ] && [[ $state != *[,\'[:space:]]* ]] || fail "$state: the state's directory must have at most 55 characters, no comma, quote or space"

case $verb in
    disks) locked make_disks "$1" "${2-256M}" ;;
    up) take_host "$1"; shift; up "$@" ;;
    restore) take_host "$1"; restore ;;
    sh) take_running_host "$1"; shift; run_command "$@" ;;
    put) take_running_host "$1"; put "$2" "$3" ;;
    kill) take_running_host "$1"; stop_host ;;
    freeze) take_running_host "$1"; kill -STOP "$machine" ;;
    thaw) take_running_host "$1"; kill -CONT "$machine" ;;
    unplug) take_running_host "$1"; set_links "${2-both}" false ;;
    plug) take_running_host "$1"; set_links "${2-both}" true ;;
    cut) take_running_host "$1"; cut_disk "$2" ;;
    hang) take_running_host "$1"; hang_disk "$2" ;;
    mend) take_running_host "$1"; mend_disk "$2" ;;
    snapshot) take_running_host "$1"; snapshot ;;
    console) take_host "$1"; [ -e "$at/console" ] || fail "Host $host was never started"; cat "$at/console" ;;
    list) list ;;
    down) stop_all ;;
esac
