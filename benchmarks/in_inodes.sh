#!/bin/sh
# Runs a command with the benchmarks' trees on an ext4 of its own, in memory, that keeps small files in their inodes:
# ten million users, whose files would take a block of 4 KiB each elsewhere, take 6 GB there. For root, who may mount it.
#
#     sh benchmarks/in_inodes.sh python benchmarks/run.py --full --only scaling
set -eu
inodes=10200000
place=$(mktemp -d /dev/shm/headcount-in-inodes-XXXXXX)
trap 'umount "$place/mounted" 2>/dev/null || true; rm -rf "$place"' EXIT
mkdir "$place/mounted"
truncate -s $((inodes * 4200)) "$place/image"
mkfs.ext4 -q -O inline_data,^has_journal -I 512 -N $inodes -m 0 "$place/image"
mount -o loop,noatime "$place/image" "$place/mounted"
BENCHMARKS_TREES=$place/mounted "$@"
