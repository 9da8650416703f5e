#!/usr/bin/env bash
# Makes the lab's artefact, a kernel with real OpenZFS and all that a lab host needs in memory, from Debian packages alone.
#
#   ops/lab/build.sh DIRECTORY           leaves vmlinuz and initrd.img there; does nothing if they are up to date
#   ops/lab/build.sh --again DIRECTORY   makes them anew: newer packages may have come
#
# Needs root, amd64, the network and 4 GB under $TMPDIR for some minutes. Packages come from this machine's own Debian mirror, or from
# ZFSHA_LAB_MIRROR and ZFSHA_LAB_SECURITY_MIRROR; of the release ZFSHA_LAB_SUITE (trixie). What was done is in DIRECTORY/build.log.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
source "$(dirname -- "${BASH_SOURCE[0]}")/../setup.sh"
here=$root/ops/lab
export LC_ALL=C

usage() { sed -n '2,8s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; }

again=no directory=''
for argument in "$@"; do
    case $argument in
        --help) usage; exit 0 ;;
        --again) again=yes ;;
        -* | '') usage >&2; exit 2 ;;
        *) [ -z "$directory" ] || { usage >&2; exit 2; }; directory=$argument ;;
    esac
done
[ -n "$directory" ] || { usage >&2; exit 2; }

# ---- what it is made of ----------------------------------------------------------------------------------------------

suite=${ZFSHA_LAB_SUITE:-trixie}
download_seconds=1200 # per step
compile_seconds=2400

# The address of the mirror that this machine itself takes packages with this label from.
# shellcheck disable=SC2016
configured_mirror() { apt-get indextargets --format '$(ORIGIN)|$(LABEL)|$(SITE)' 'Created-By: Packages' | sed -n "s/^Debian|$1|//p" | head -1; }

choose_mirrors() {
    mirror=${ZFSHA_LAB_MIRROR:-$(configured_mirror Debian)}
    security_mirror=${ZFSHA_LAB_SECURITY_MIRROR:-$(configured_mirror Debian-Security)}
    case $mirror in
        http://* | https://*) ;;
        '') fail "apt knows of no Debian mirror on this machine (apt-get update?); name one, e.g. ZFSHA_LAB_MIRROR=http://deb.debian.org/debian" ;;
        *) fail "The mirror '$mirror' is no http address; name one, e.g. ZFSHA_LAB_MIRROR=http://deb.debian.org/debian" ;;
    esac
}

# What the artefact follows from, packages aside; as it is now, whatever is edited meanwhile.
recipe=$({ cat "$here/build.sh" "$here/image.sh" "$here/host-start.sh"; printf '%s\n' "$suite"; } | sha256sum | cut -d ' ' -f 1)

is_up_to_date() {
    [ -e built-from ] && grep -qx "recipe $recipe" built-from && grep -E '^[0-9a-f]{64}  ' built-from | sha256sum --check --status 2>/dev/null
}

# ---- how it is stopped -----------------------------------------------------------------------------------------------

work='' running='' began=$SECONDS

say() { printf '[%4d s] %s\n' $((SECONDS - began)) "$*"; }

finish() {
    local code=$?
    trap - EXIT
    trap '' INT TERM HUP
    # Its processes and mounts live in name spaces of their own, which end with it.
    if [ -n "$running" ]; then
        kill -KILL "$running" 2>/dev/null || true
        wait "$running" 2>/dev/null || true
    fi
    rm -f vmlinuz.new initrd.img.new built-from.new
    if [ -n "$work" ]; then
        # What was killed may take a moment to end.
        rm -rf --one-file-system -- "$work" 2>/dev/null || { sleep 2; rm -rf --one-file-system -- "$work"; } || true
    fi
    exit "$code"
}

# isolated SECONDS WHAT COMMAND...: with mounts and processes that nobody else sees and nothing of which remains.
isolated() {
    local seconds=$1 what=$2 code=0
    shift 2
    say "$what"
    printf '\n== %s\n' "$what" >>build.log
    # In the background: a trap waits for a command in the foreground, but interrupts wait.
    unshare --mount --pid --fork --kill-child=KILL -- timeout --foreground --kill-after=10 "$seconds" "$@" >>build.log 2>&1 </dev/null 9>&- &
    running=$!
    wait "$running" || code=$?
    running=''
    case $code in
        0) ;;
        124 | 137) tail -n 5 build.log >&2; fail "'$what' was not done within its $seconds s; see $directory/build.log" ;;
        *) tail -n 20 build.log >&2; fail "'$what' failed; see $directory/build.log" ;;
    esac
}

# ---- the work --------------------------------------------------------------------------------------------------------

mkdir -p -- "$directory" 2>/dev/null && [ -w "$directory" ] || fail "$directory cannot be written to"
directory=$(cd -- "$directory" && pwd)
cd -- "$directory"
if [ "$again" = no ] && is_up_to_date; then
    echo "Up to date: $directory ($(sed -n 's/^openzfs /OpenZFS /p' built-from))"
    exit 0
fi

[ "$(uname -m)" = x86_64 ] || fail "The lab's hosts are x86-64 machines, and so must be the one that makes the artefact; this is $(uname -m)"
need_packages debootstrap=/usr/sbin/debootstrap debian-archive-keyring=/usr/share/keyrings/debian-archive-keyring.gpg util-linux=unshare
[ "$(id -u)" -eq 0 ] || fail "Only root can make the artefact (debootstrap, chroot). All packages are there:  sudo $here/build.sh $directory"
[ -e "/usr/share/debootstrap/scripts/$suite" ] || fail "debootstrap knows no Debian release '$suite'; set ZFSHA_LAB_SUITE to one whose OpenZFS is 2.3, such as trixie"
choose_mirrors
exec 9<"$directory"
flock --nonblock 9 || fail "$directory is being built by somebody else"

trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
work=$(mktemp -d "${TMPDIR:-/tmp}/zfsha-lab-build.XXXXXX")
[ "$(df --output=avail -k "$work" | tail -1)" -ge 4000000 ] || fail "There are less than 4 GB free under ${TMPDIR:-/tmp}; set TMPDIR to a directory with more"
chmod 755 "$work" # apt fetches as a user of its own.
debian=$work/debian
: >build.log
echo "Making the lab's artefact from Debian $suite, $mirror. It takes some minutes; $directory/build.log tells all."

# What apt on this machine does about proxies and dates, ours does too; debootstrap has it from the environment.
proxy=$(apt-config dump | sed -n 's/^Acquire::http::Proxy "\(.*\)";$/\1/p' | head -1)
[ -z "$proxy" ] || [ "$proxy" = DIRECT ] || export http_proxy=$proxy
isolated "$download_seconds" "Debian's base system" debootstrap --variant=minbase --keyring=/usr/share/keyrings/debian-archive-keyring.gpg "$suite" "$debian" "$mirror"

{
    echo "deb $mirror $suite main contrib"
    echo "deb $mirror $suite-updates main contrib"
    [ -z "$security_mirror" ] || echo "deb $security_mirror $suite-security main contrib"
} >"$debian/etc/apt/sources.list"
{
    apt-config dump | grep -E '^Acquire::(Check-|https?::)' || true
    printf '%s\n' 'Acquire::Retries "3";' 'Acquire::http::Timeout "30";' 'Acquire::https::Timeout "30";' \
        'APT::Install-Recommends "false";' 'Dpkg::Use-Pty "false";' 'DPkg::Options { "--force-unsafe-io"; };'
} >"$debian/etc/apt/apt.conf.d/90lab"
cp /etc/resolv.conf "$debian/etc/resolv.conf"
mkdir "$debian/lab"
cp "$here/image.sh" "$here/host-start.sh" "$debian/lab/"

inside() { # SECONDS WHAT STEP: a step of image.sh, in the new system
    # shellcheck disable=SC2016
    isolated "$1" "$2" bash -euc '
        mount -t proc proc "$1/proc"
        mount -t sysfs -o ro sysfs "$1/sys"
        mount --rbind /dev "$1/dev"
        exec chroot "$1" bash /lab/image.sh "$2"' bash "$debian" "$3"
}

inside "$download_seconds" "Downloading kernel, headers, OpenZFS and tools" download
inside "$compile_seconds" "Installing kernel, headers and compiler" install-kernel
inside "$compile_seconds" "Compiling OpenZFS for that kernel" install-zfs
inside "$compile_seconds" "Packing the image" pack

cp "$debian/lab/out/vmlinuz" vmlinuz.new
cp "$debian/lab/out/initrd.img" initrd.img.new
{
    echo "recipe $recipe"
    cat "$debian/lab/out/versions"
    for file in vmlinuz initrd.img; do printf '%s  %s\n' "$(sha256sum <"$file.new" | cut -d ' ' -f 1)" "$file"; done
} >built-from.new
# The last of the three names what the other two are: stopped in between, this is done again.
mv vmlinuz.new vmlinuz
mv initrd.img.new initrd.img
mv built-from.new built-from
say "Done: $directory/vmlinuz ($(stat -c %s vmlinuz) bytes), $directory/initrd.img ($(stat -c %s initrd.img) bytes); $(sed -n 's/^openzfs /OpenZFS /p' built-from), $(sed -n 's/^kernel /Linux /p' built-from)"
