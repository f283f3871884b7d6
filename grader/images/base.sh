#!/bin/sh
# A base image without any registry, from a Debian mirror alone: base.sh TAG   (as root; needs debootstrap)
# DEBIAN_MIRROR chooses the mirror; by default it is the one that debootstrap knows.
set -eu
tag=$1
command -v debootstrap >/dev/null || { echo "debootstrap is missing: apt install debootstrap" >&2; exit 1; }
[ "$(id -u)" -eq 0 ] || { echo "debootstrap needs root" >&2; exit 1; }
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
debootstrap --variant=minbase --include=python3.11,python3.11-venv,python3-distutils,python3-pip-whl,python3-setuptools-whl \
    bookworm "$place" ${DEBIAN_MIRROR:-} >"$place.log" 2>&1 || { tail -n 20 "$place.log" "$place/debootstrap/debootstrap.log" >&2; exit 1; }
rm -rf "$place.log" "$place"/var/cache/apt/* "$place"/var/lib/apt/lists/* "$place"/var/log/* \
    "$place"/usr/share/doc/* "$place"/usr/share/man/* "$place"/usr/share/locale/*
tar -C "$place" -c . | docker import - "$tag" >/dev/null
