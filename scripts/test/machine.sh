#!/bin/sh
# Runs root tests in a virtual machine with Debian's own kernel: version 2 cgroups alone and a stock configuration, as on
# most machines, whatever this one has. Without KVM it takes a minute or two, so it is no part of the quick gate.
#
#     scripts/test/machine.sh src/engine/spec src/runtime
#
# Needs qemu-system-x86 and busybox-static; the kernel is downloaded once, through apt, into build/machine.
set -eu

home=$(cd "$(dirname "$0")/../.." && pwd)
work=$home/build/machine
root=$work/root
seconds=${HAVRE_MACHINE_SECONDS:-900}
[ $# -gt 0 ] || { echo "Usage: $0 TEST..." >&2; exit 2; }
for need in qemu-system-x86_64 busybox dpkg-deb apt-get; do
  command -v "$need" >/dev/null || { echo "$need is missing: apt-get install qemu-system-x86 busybox-static" >&2; exit 2; }
done
mkdir -p "$work"

if [ ! -d "$work/kernel/boot" ]; then
  package=$(apt-cache depends linux-image-cloud-amd64 | sed -n 's/ *Depends: \(linux-image-.*\)/\1/p' | head -n 1)
  (cd "$work" && apt-get download "$package" && dpkg-deb -x "$package"_*.deb kernel && rm "$package"_*.deb)
fi

# A program with the libraries it is linked to.
put() {
  path=$(command -v "$1") || return 0
  path=$(readlink -f "$path")
  for file in "$path" $(ldd "$path" 2>/dev/null | grep -o '/[^ ]*'); do
    mkdir -p "$root$(dirname "$file")"
    cp -L "$file" "$root$file"
  done
  [ -e "$root/bin/$1" ] || ln -s "$path" "$root/bin/$1"
}

rm -rf "$root"
mkdir -p "$root/bin" "$root/etc" "$root/root" "$root/work" "$root/lib" "$root/proc" "$root/sys" "$root/dev" "$root/run" "$root/tmp"
for program in busybox crun runc conmon catatonit nft ip unshare nsenter mount umount tar ps iptables ping nc; do put "$program"; done
# busybox's own shell would prefer its applets to the real programs.
put dash
ln -s dash "$root/bin/sh"
for applet in $(busybox --list); do [ -e "$root/bin/$applet" ] || ln -s "$(readlink -f "$(command -v busybox)")" "$root/bin/$applet"; done
cp "$(readlink -f "$home/node_modules/.bin/bun")" "$root/bin/bun"
for library in $(ldd "$root/bin/bun" | grep -o '/[^ ]*'); do mkdir -p "$root$(dirname "$library")"; cp -L "$library" "$root$library"; done
cp -r "$home/src" "$home/scripts" "$home/package.json" "$home/tsconfig.json" "$root/work"
cp -r "$work/kernel/lib/modules" "$root/lib/modules"
busybox depmod -b "$root" "$(ls "$root/lib/modules")" 2>/dev/null || depmod -b "$root" "$(ls "$root/lib/modules")"
echo root:x:0:0:root:/root:/bin/sh >"$root/etc/passwd"
echo root:x:0: >"$root/etc/group"
echo 127.0.0.1 localhost >"$root/etc/hosts"
echo nameserver 192.0.2.53 >"$root/etc/resolv.conf"

cat >"$root/init" <<'INIT'
#!/bin/sh
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root NO_COLOR=1
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mkdir -p /dev/pts /dev/shm /dev/mqueue
mount -t devpts devpts /dev/pts
mount -t tmpfs shm /dev/shm
mount -t tmpfs run /run
ln -s /proc/self/fd /dev/fd
ln -s /proc/self/fd/0 /dev/stdin
ln -s /proc/self/fd/1 /dev/stdout
ln -s /proc/self/fd/2 /dev/stderr
mount -t cgroup2 cgroup2 /sys/fs/cgroup
# As a host's init does: itself in a child group, every controller for its children.
mkdir /sys/fs/cgroup/init.scope
echo 1 >/sys/fs/cgroup/init.scope/cgroup.procs
for controller in $(cat /sys/fs/cgroup/cgroup.controllers); do echo "+$controller" >/sys/fs/cgroup/cgroup.subtree_control; done
for module in overlay erofs loop veth bridge nf_tables nft_chain_nat nft_masq nft_ct nft_nat nft_fib_inet; do modprobe "$module" 2>/dev/null; done
ip link set lo up
# The first root of a kernel cannot be pivoted away, which runtimes do: go on from a root of our own.
mkdir /tmp/root
mount -t tmpfs -o size=80% root /tmp/root
for folder in bin etc root work lib lib64 usr sbin; do [ ! -e /$folder ] || cp -a /$folder /tmp/root/; done
cp /tests /tmp/root/tests
cd /tmp/root
mkdir -p proc sys dev run tmp
for folder in proc sys dev run; do mount --move /$folder $folder; done
mount -t tmpfs tmp tmp
exec switch_root /tmp/root /tests
INIT
cat >"$root/tests" <<TESTS
#!/bin/sh
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root NO_COLOR=1
uname -sr
cd /work
bun test --timeout 120000 $*
echo "machine: \$?"
echo o >/proc/sysrq-trigger
sleep 9
TESTS
chmod +x "$root/init" "$root/tests"
(cd "$root" && find . | busybox cpio -o -H newc 2>/dev/null | gzip -1 >"$work/initrd.gz")

accelerator=tcg
[ ! -w /dev/kvm ] || [ "${HAVRE_MACHINE_KVM:-}" != 1 ] || accelerator=kvm
timeout "$seconds" qemu-system-x86_64 -accel "$accelerator" -cpu max -m 4000 -smp 2 -kernel "$work"/kernel/boot/vmlinuz-* \
  -initrd "$work/initrd.gz" -append "console=ttyS0 quiet panic=-1" -nographic -no-reboot -nic none </dev/null |
  tee "$work/console.log"
code=$(sed -n 's/^machine: \([0-9]*\).*/\1/p' "$work/console.log")
exit "${code:-1}"
