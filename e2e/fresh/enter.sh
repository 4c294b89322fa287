#!/bin/bash
# Makes a folder the root of a new mount and process namespace, with what a machine has, and runs a command there.
# usage (inside `unshare -mpf --kill-child`): enter.sh TREE COMMAND…
set -euo pipefail
tree=$1
shift
mount --make-rprivate /
mount --bind "$tree" "$tree"
cd "$tree"
mount -t proc proc proc
mount --rbind /sys sys
mount --rbind /dev dev
mount -t tmpfs tmpfs run
mkdir -p old
# Not chroot: programs in the tree that make mount namespaces of their own need a root that is a mount.
pivot_root . old
cd /
umount -l /old
exec "$@"
