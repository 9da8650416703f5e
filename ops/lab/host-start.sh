#!/bin/sh
# The first process of a lab host, in busybox's shell. It takes from the kernel's command line, where the last of a kind counts:
#   lab.name=NAME         host name
#   lab.hostid=HEX        host id, in the SPL module and in /etc/hostid; none if 0 or absent
#   lab.ip=ADDRESS/BITS   address on the network of the lab's hosts, eth1; none if absent
#   MODULE.PARAMETER=...  as everywhere; modprobe reads them
# Then it says LAB-READY on the console.
export PATH=/usr/sbin:/usr/bin HOME=/root TERM=dumb

mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mkdir -p /dev/pts /dev/shm
mount -t devpts devpts /dev/pts
mount -t tmpfs tmpfs /dev/shm
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /tmp
[ -e /dev/fd ] || ln -s /proc/self/fd /dev/fd

name=lab hostid='' address=''
for word in $(cat /proc/cmdline); do
    case $word in
        lab.name=*) name=${word#*=} ;;
        lab.hostid=*) hostid=${word#*=} ;;
        lab.ip=*) address=${word#*=} ;;
    esac
done
hostname "$name"
echo "$name" > /etc/hostname
echo "127.0.1.1 $name" >> /etc/hosts
dmesg -n 4

for module in virtio_pci virtio_rng virtio_blk virtio_net; do modprobe "$module"; done
if grep -qx 0x0008 /sys/bus/virtio/devices/*/device; then # a SCSI controller
    modprobe virtio_scsi
    modprobe sd_mod
fi
/usr/lib/systemd/systemd-udevd --daemon
udevadm trigger --type=devices --action=add --subsystem-match=block

ip link set lo up
ip address add 10.0.2.15/24 dev eth0
ip link set eth0 up
ip route add default via 10.0.2.2
if [ -n "$address" ] && [ -e /sys/class/net/eth1 ]; then
    ip address add "$address" dev eth1
    ip link set eth1 up
fi
dropbear -R -s -g # before OpenZFS, so that one can look why that did not load; its host key is made when it is first wanted

case $hostid in
    '' | 0 | 0x0 | 0x00000000) modprobe spl ;;
    *)
        zgenhostid -f "$hostid"
        modprobe spl spl_hostid="$hostid"
        ;;
esac
modprobe zfs
udevadm settle --timeout=10
echo "LAB-READY $name" > /dev/console

# The kernel panics if its first process ends; as the parent of all orphans it also buries them.
while :; do
    sleep 3600 &
    wait $!
done
