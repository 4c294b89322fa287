#!/bin/busybox sh
# The first process of a test machine: mounts what the engine and the loader need, loads the modules, starts the
# host's hand. The machine lives in memory only.
/bin/busybox mkdir -p /proc /sys /dev /tmp /run /root /mnt /var/lib /var/log /etc
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sys /sys
/bin/busybox mount -t devtmpfs dev /dev
/bin/busybox --install -s /bin
export PATH=/usr/bin:/usr/sbin:/bin:/sbin HOME=/root
while read -r module; do insmod "/modules/$module" || echo "insmod $module failed"; done < /modules/order
mkdir -p /dev/shm /dev/pts
mount -t tmpfs tmp /tmp
mount -t tmpfs run /run
mount -t devpts pts /dev/pts
mount -t securityfs securityfs /sys/kernel/security
mount -t tracefs tracefs /sys/kernel/tracing
mount -t debugfs debugfs /sys/kernel/debug
mount -t bpf bpf /sys/fs/bpf
mount -t cgroup2 cgroup2 /sys/fs/cgroup
for controller in memory cpu pids; do echo "+$controller" > /sys/fs/cgroup/cgroup.subtree_control; done
ulimit -l unlimited
ulimit -n 1048576
sysctl -qw kernel.panic_on_oops=1
ip link set lo up
ip link set eth0 up
ip addr add 10.0.2.15/24 dev eth0
/bin/guestd
echo "guestd ended"
poweroff -f
