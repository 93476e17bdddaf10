#!/bin/sh
# Makes a fresh clone ready: Debian packages, npm packages, the compiled binary. Does only what is missing and says what it
# does; two at once take turns.
#
#   scripts/prepare.sh           what running Havre needs, and the program
#   scripts/prepare.sh --check   npm packages only, development's too
#   scripts/prepare.sh --test    these, and the Debian packages that running and testing need
#   scripts/prepare.sh --vm      these, and those for testing in a virtual machine
set -u
home=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P) || exit 1
cd "$home" || exit 1
unset BUN_OPTIONS BUN_BE_BUN BUN_INSPECT BUN_INSPECT_PRELOAD

purpose=${1:---run}

# Package of Debian, then a file it brings (a command, unless it starts with a slash).
runtime_packages='
conmon:conmon
crun:crun
runc:runc
nftables:nft
iproute2:ip
catatonit:catatonit
procps:ps
bzip2:bzip2
xz-utils:xz
mmdebstrap:mmdebstrap
'
test_packages='
busybox-static:busybox
skopeo:skopeo
docker-registry:docker-registry
tmux:tmux
strace:strace
e2fsprogs:mkfs.ext4
xfsprogs:mkfs.xfs
btrfs-progs:mkfs.btrfs
zstd:zstd
wrk:wrk
openssh-client:ssh
openssh-server:sshd
rclone:rclone
fuse3:fusermount3
ufw:ufw
docker-compose:/usr/bin/docker-compose
'
vm_packages='
qemu-system-x86:qemu-system-x86_64
'

say() { printf 'havre: %s\n' "$*" >&2; }
fail() {
  say "$@"
  exit 1
}
have() { PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin command -v "$1" >/dev/null 2>&1; }

missing_packages() {
  for pair in $1; do
    have "${pair#*:}" || printf '%s ' "${pair%%:*}"
  done
}

# How other distributions name the same things.
advice() {
  if have dnf; then
    say "  dnf install conmon crun runc nftables iproute procps-ng bzip2 xz; catatonit is in the podman packages"
  elif have zypper; then
    say "  zypper install conmon crun runc nftables iproute2 catatonit procps bzip2 xz"
  elif have pacman; then
    say "  pacman -S conmon crun runc nftables iproute2 catatonit procps-ng bzip2 xz"
  elif have apk; then
    say "  apk add conmon crun runc nftables iproute2 catatonit procps bzip2 xz"
  else
    say "  conmon, crun, runc, nft, ip, catatonit, ps, bzip2 and xz have to be found on the PATH"
  fi
}

install_packages() {
  wanted=$runtime_packages
  case $purpose in
    --test) wanted="$wanted $test_packages" ;;
    --vm) wanted="$wanted $test_packages $vm_packages" ;;
  esac
  missing=$(missing_packages "$wanted")
  [ -z "$missing" ] && return 0
  if ! have apt-get; then
    say "This machine lacks: $missing(names of the Debian packages). Install them and start again:"
    advice
    [ "$purpose" = --run ] || return 1
    return 0 # The client and the build need none of them; "havre doctor" names what is still missing.
  fi
  if [ "$(id -u)" != 0 ]; then
    say "Running containers needs Debian packages that are missing, and installing them needs root. Run once:"
    say "  sudo apt-get install --no-install-recommends $missing"
    [ "$purpose" = --run ] || return 1
    return 0
  fi
  say "Installing Debian packages: $missing"
  # What apt says is shown when it fails. The index is fetched only when the packages are not known without it.
  # shellcheck disable=SC2086
  apt_install $missing >build/apt.log 2>&1 || { apt-get update && apt_install $missing; } >>build/apt.log 2>&1 || {
    tail -n 15 build/apt.log >&2
    fail "apt-get could not install: $missing(is there a network, and a Debian mirror in /etc/apt?)"
  }
}

apt_install() {
  DEBIAN_FRONTEND=noninteractive apt-get -y -o DPkg::Lock::Timeout=300 install --no-install-recommends "$@"
}

# Containers with user ids of their own get them from this user's; the numbers are apart from systemd's and other engines'.
make_user() {
  ids=1879048192-2147352575
  [ "$(id -u)" = 0 ] && ! grep -q '^havre:' /etc/subuid 2>/dev/null || return 0
  PATH=$PATH:/usr/sbin:/sbin
  have useradd && have usermod || return 0 # "havre doctor" says what is missing.
  say "Making the system user havre with user ids for containers"
  id havre >/dev/null 2>&1 || useradd --system --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin havre &&
    usermod --add-subuids "$ids" --add-subgids "$ids" havre || say "That failed: containers cannot have user ids of their own"
}

install_modules() {
  have node || fail "Node.js is missing: install Node.js 18 or later with npm (Debian: apt-get install nodejs npm)"
  if [ "$purpose" = --run ]; then only=--omit=dev; else only=''; fi
  node scripts/modules-current.mjs ${only:---develop} && return 0 # Nothing to leave out: development's too.
  [ -L node_modules ] && fail "node_modules is a link and does not hold what package-lock.json asks for: run npm ci where it leads"
  have npm || fail "npm is missing: it comes with Node.js (Debian: apt-get install npm)"
  say "Installing npm packages (npm ci $only)"
  # shellcheck disable=SC2086
  npm ci $only --no-audit --no-fund --loglevel=error >build/npm.log 2>&1 || {
    head -n 12 build/npm.log >&2
    fail "npm could not install the packages of package-lock.json (is there a network, and a registry npm can reach?)"
  }
}

# The package's own install script puts the program in place; where scripts are not run, the platform's package has it.
find_bun() {
  for bun in node_modules/bun/bin/bun.exe node_modules/@oven/bun-linux-*/bin/bun; do
    if [ -x "$bun" ] && [ "$(wc -c <"$bun")" -gt 1000000 ]; then return 0; fi
  done
  fail "The bun package for this machine ($(uname -sm)) is missing from node_modules: Havre runs on Linux, x86-64 and arm64"
}

up_to_date() {
  [ -x build/havre ] && [ -z "$(find src package-lock.json scripts/build.ts scripts/prepare.sh -newer build/havre -print -quit)" ]
}

[ "$(uname -s)" = Linux ] || fail "Havre runs on Linux; this is $(uname -s)"
mkdir -p build 2>/dev/null
[ -w build ] || fail "$home/build cannot be written by $(id -un): build once as the owner of $home, or as root"

(
  if have flock; then
    flock -n 9 || { say "Waiting for another havre to finish preparing $home" && flock 9; }
  fi
  [ "$purpose" = --check ] || install_packages || exit 1
  [ "$purpose" = --check ] || make_user
  install_modules || exit 1
  if [ "$purpose" = --run ]; then
    touch build/host-checked
    if ! up_to_date; then
      find_bun || exit 1
      say "Building build/havre"
      "$bun" scripts/build.ts || fail "The build failed"
    fi
  fi
) 9>build/lock
