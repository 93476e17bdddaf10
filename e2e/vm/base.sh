#!/bin/sh
# Makes the machine that the tests boot, in the folder $1: a disk of Debian 12 with what Havre needs from its packages,
# Debian's cloud kernel, and a first stage that finds the disk. $2 is a mirror of Debian.
set -eu
into=$1
mirror=$2
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
work=$(mktemp -d "$into.XXXXXX")
root=$work/root
trap 'rm -rf "$work"' EXIT

# The kernel's package is only unpacked: installing it would make an initramfs and look for a boot loader.
cat >"$work/kernel-hook" <<'HOOK'
set -eu
export APT_CONFIG="$MMDEBSTRAP_APT_CONFIG"
package=$(apt-cache depends linux-image-cloud-amd64 | sed -n 's/ *Depends: \(linux-image-.*\)/\1/p' | head -n 1)
mkdir "$1/kernel"
cd "$1/kernel"
apt-get -qq -o APT::Sandbox::User=root download "$package"
dpkg-deb -x ./*.deb .
rm ./*.deb
mv lib/modules "$1/usr/lib/modules"
HOOK
mmdebstrap --quiet --mode=root --variant=minbase \
  --include=crun,runc,conmon,nftables,iproute2,catatonit,busybox-static,procps,kmod,apparmor \
  --customize-hook="sh $work/kernel-hook \"\$1\"" bookworm "$root" "$mirror"

kernel=$(ls "$root/usr/lib/modules")
chroot "$root" depmod "$kernel"
cp "$root/kernel/boot/vmlinuz-$kernel" "$work/vmlinuz"
rm -rf "$root/kernel"
cp "$here/init.sh" "$root/init"
mkdir -p "$root/payload"

first=$work/first
mkdir -p "$first/bin" "$first/dev" "$first/proc" "$first/root"
cp "$root/bin/busybox" "$first/bin/busybox"
{
  echo '#!/bin/busybox sh'
  echo '/bin/busybox mount -t devtmpfs dev /dev'
  chroot "$root" modprobe --set-version "$kernel" --all --show-depends virtio_pci virtio_blk crc32c_generic ext4 |
    sed -n 's/^insmod \([^ ]*\).*/\1/p' | awk '!seen[$0]++' | while read -r module; do
    cp -L "$root$module" "$first/"
    echo "/bin/busybox insmod /$(basename "$module")"
  done
  echo '/bin/busybox mount -t ext4 /dev/vda /root'
  echo '/bin/busybox mount --move /dev /root/dev'
  echo 'exec /bin/busybox switch_root /root /init'
} >"$first/init"
chmod +x "$first/init" "$root/init"
(cd "$first" && find . | busybox cpio -o -H newc 2>/dev/null | gzip -1) >"$work/initrd.gz"

mkfs.ext4 -q -d "$root" -E lazy_itable_init=1,nodiscard "$work/root.ext4" 3G
rm -rf "$root" "$first" "$work/kernel-hook"
rm -rf "$into"
mv "$work" "$into"
trap - EXIT
