#!/bin/busybox sh
# Loads the modules of the worker and changes to its disk.
B=/bin/busybox
$B mkdir -p /proc /sys /dev /node
$B mount -t proc proc /proc
$B mount -t sysfs sys /sys
$B mount -t devtmpfs dev /dev
while read -r module; do $B insmod "/modules/$module" || echo "insmod $module failed"; done < /modules/order
while [ ! -e /dev/vda ]; do $B sleep 0.1; done
$B mount -t ext4 -o noatime /dev/vda /node || exec $B sh
for folder in proc sys dev; do $B mount --move "/$folder" "/node/$folder"; done
exec $B switch_root /node /bin/init
