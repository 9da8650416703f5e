#!/usr/bin/env bash
# Steps of build.sh, run in a fresh Debian of which nothing but the result is kept: download, install-kernel, install-zfs, pack.
set -euo pipefail
export LC_ALL=C DEBIAN_FRONTEND=noninteractive PATH=/usr/sbin:/usr/bin:/sbin:/bin

kernel_packages=(linux-image-cloud-amd64 linux-headers-cloud-amd64 build-essential kmod)
zfs_packages=(zfs-dkms zfsutils-linux dropbear-bin busybox-static udev zstd xz-utils cpio)

# What the hosts run besides busybox.
programs=(/usr/sbin/{zpool,zfs,zdb,zhack,zgenhostid,zstream,mount.zfs,dropbear} /usr/bin/udevadm /usr/lib/udev/{scsi_id,zvol_id})
udev_rules=(50-udev-default 60-block 60-persistent-storage 60-zvol)
modules=(virtio_pci virtio_blk virtio_scsi sd_mod virtio_net virtio_rng spl zfs)
# For programs brought along: .NET wants the C++ library, and an older program's threads and loader have files of their own.
libraries=(/usr/lib/x86_64-linux-gnu/{libstdc++.so.6,libgcc_s.so.1,libdl.so.2,libpthread.so.0,librt.so.1})

fail() {
    printf '%s\n' "$*" >&2
    exit 1
}

download() {
    apt-get update
    apt-get install --yes --download-only "${kernel_packages[@]}" "${zfs_packages[@]}"
}

install_kernel() {
    # No service starts here, and nobody boots this system, so it needs no initial file system of its own.
    printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
    chmod 755 /usr/sbin/policy-rc.d
    dpkg-divert --local --rename --add /usr/sbin/update-initramfs
    ln -sf /bin/true /usr/sbin/update-initramfs
    apt-get install --yes "${kernel_packages[@]}"
}

kernel_version() {
    # shellcheck disable=SC2016
    dpkg-query --show --showformat='${Depends}' linux-image-cloud-amd64 | sed -n 's/^.*linux-image-\([0-9][^ ,]*\).*$/\1/p'
}

install_zfs() {
    apt-get install --yes "${zfs_packages[@]}"
    local kernel
    kernel=$(kernel_version)
    modinfo -k "$kernel" zfs >/dev/null || {
        cat /var/lib/dkms/zfs/*/build/make.log >&2 || true
        fail "OpenZFS was not compiled for $kernel"
    }
}

pack() {
    local kernel tree=/lab/tree
    kernel=$(kernel_version)
    rm -rf "$tree" /lab/out
    mkdir -p "$tree"/{proc,sys,dev,run,tmp,mnt,srv,root/.ssh,etc/{dropbear,zfs},var/{lib,log,lock},usr/{bin,sbin,lib,lib64}} /lab/out
    local directory
    for directory in bin sbin lib lib64; do ln -s "usr/$directory" "$tree/$directory"; done
    chmod 700 "$tree/root" "$tree/root/.ssh"

    copy_programs "$tree"
    copy_modules "$tree" "$kernel"
    copy_accounts "$tree"
    install_start "$tree"

    (cd "$tree" && find . -print0 | sort -z | cpio --null --create --format=newc --owner=0:0 --quiet) | zstd -19 -T0 --quiet -o /lab/out/initrd.img
    cp "/boot/vmlinuz-$kernel" /lab/out/vmlinuz
    printf 'kernel %s\nopenzfs %s\n' "$kernel" "$(dpkg-query --show --showformat='${Version}' zfsutils-linux)" >/lab/out/versions
    du -sk "$tree"
    ls -l /lab/out
}

copy_programs() { # TREE
    cp --parents --dereference "${programs[@]}" "${libraries[@]}" "$1"
    local program library needed
    needed=$(for program in "${programs[@]}"; do ldd "$program"; done)
    [[ $needed != *'not found'* ]] || fail "A program's library is missing: $needed"
    for library in $(grep -o '/[^ ]*\.so[^ ]*' <<<"$needed" | sort -u); do cp --parents --dereference "$library" "$1"; done

    cp --dereference /usr/bin/busybox "$1/usr/bin/busybox"
    local applet
    for applet in $(busybox --list); do
        [ -e "$1/usr/bin/$applet" ] || [ -e "$1/usr/sbin/$applet" ] || ln -s busybox "$1/usr/bin/$applet"
    done

    # Without udev zpool waits for the partitions it makes until it gives up.
    mkdir -p "$1/usr/lib/systemd" "$1/usr/lib/udev/rules.d"
    ln -s ../../bin/udevadm "$1/usr/lib/systemd/systemd-udevd"
    local rules
    for rules in "${udev_rules[@]}"; do cp "/usr/lib/udev/rules.d/$rules.rules" "$1/usr/lib/udev/rules.d/"; done
}

# The modules and what they need; as they are for insmod, because an emulated host is slow to unpack.
copy_modules() { # TREE KERNEL
    local target=$1/usr/lib/modules/$2 module line file
    mkdir -p "$target"
    for module in "${modules[@]}"; do
        modprobe --set-version "$2" --show-depends "$module" || fail "The kernel $2 has no module $module"
    done >/lab/modules
    while read -r line file _; do
        [ "$line" = insmod ] || continue # What is built in needs no file.
        module=$(basename "${file%%.ko*}").ko
        case $file in
            *.xz) xz --decompress --stdout "$file" >"$target/$module" ;;
            *.zst) zstd --decompress --quiet --force -o "$target/$module" "$file" ;;
            *.ko) cp "$file" "$target/$module" ;;
            *) fail "$file: packed in an unknown way" ;;
        esac
        strip --strip-debug "$target/$module"
    done < <(sort -u /lab/modules)
    cp "/lib/modules/$2/modules.builtin" "/lib/modules/$2/modules.order" "$target/"
    depmod --basedir "$1" "$2"
    find "$target" -name 'modules.*' ! -name modules.dep ! -name modules.alias ! -name modules.builtin -delete
}

copy_accounts() { # TREE
    echo 'root:*:0:0:root:/root:/bin/sh' >"$1/etc/passwd" # no password; the key comes when a lab boots the host
    cp /etc/group "$1/etc/group"                          # udev's rules name them
    echo /bin/sh >"$1/etc/shells"
    echo '127.0.0.1 localhost' >"$1/etc/hosts"
    echo 'passwd: files' >"$1/etc/nsswitch.conf"
    ln -s /proc/self/mounts "$1/etc/mtab"
}

install_start() { # TREE
    cp /lab/host-start.sh "$1/init"
    chmod 755 "$1/init"
}

case ${1-} in
    download) download ;;
    install-kernel) install_kernel ;;
    install-zfs) install_zfs ;;
    pack) pack ;;
    *) fail "image.sh is run by build.sh" ;;
esac
