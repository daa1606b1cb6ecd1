#!/bin/sh
# Puts the emulated board together and runs a program on it. Called by machine.py in namespaces of
# its own for mounts, processes and the network; all that is mounted here goes with them.
#     enter.sh ROOTFS CHANGES BUNDLES CPUINFO PROCESSOR PROGRAM [ARGUMENT…]
set -eu

rootfs=$1 changes=$2 bundles=$3 cpuinfo=$4 processor=$5
shift 5

root=$changes/root
mkdir -p "$changes/upper" "$changes/work" "$root"
mount -t overlay -o "lowerdir=$rootfs,upperdir=$changes/upper,workdir=$changes/work" overlay "$root"
echo "$processor" >"$root/.emulator/processor"

mount -t proc proc "$root/proc"
mount --bind -o ro "$cpuinfo" "$root/proc/cpuinfo" # qemu shows this machine's
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for device in null:3 zero:5 full:7 random:8 urandom:9; do
    mknod -m 666 "$root/dev/${device%:*}" c 1 "${device#*:}"
done
ln -s /proc/self/fd "$root/dev/fd"
mkdir -m 1777 "$root/dev/shm"
mount -t tmpfs tmpfs "$root/run"
mkdir -p "$root/media/stick"
mount --bind "$bundles" "$root/media/stick"
mount -o remount,bind,ro,nosuid,nodev,noexec "$root/media/stick"

exec chroot "$root" "$@"
