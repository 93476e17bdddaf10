#!/bin/sh
# Puts Havre's files in place, or takes them away again. Data in /var/lib/havre is not touched.
#
#   ./install.sh [--prefix DIR] [--remove]     default: /usr/local
#
# Where systemd is, its unit goes to /etc/systemd/system; nothing is enabled or started. DESTDIR is put before all.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)
prefix=/usr/local
remove=
while [ $# -gt 0 ]; do
  case $1 in
    --prefix) prefix=${2:?--prefix needs a folder}; shift ;;
    --remove) remove=yes ;;
    *) echo "Usage: ./install.sh [--prefix DIR] [--remove]" >&2; exit 2 ;;
  esac
  shift
done
case $prefix in /*) ;; *) echo "install.sh: --prefix needs an absolute path" >&2; exit 2 ;; esac
to=${DESTDIR:-}$prefix
unit=${DESTDIR:-}/etc/systemd/system/havre.service

if [ -n "$remove" ]; then
  (cd "$here" && find bin share -type f) | while read -r file; do rm -f "$to/$file"; done
  rm -f "$unit"
  rmdir "$to/share/doc/havre" 2>/dev/null || true
  exit 0
fi

(cd "$here" && find bin share -type f) | while read -r file; do
  mkdir -p "$to/${file%/*}"
  # Beside and renamed: a program that runs is not touched.
  cp "$here/$file" "$to/$file.new"
  mv "$to/$file.new" "$to/$file"
done
if [ -d "${DESTDIR:-}/run/systemd/system" ] || [ -n "${DESTDIR:-}" ]; then
  mkdir -p "${unit%/*}"
  sed "s#/usr/bin/havre#$prefix/bin/havre#" "$here/havre.service" >"$unit"
  echo "Start it with: systemctl daemon-reload && systemctl enable --now havre"
fi
echo "Installed in $prefix. What this host lacks for running containers: $prefix/bin/havre doctor"
echo "For Docker's clients: export DOCKER_HOST=unix:///run/havre/havre.sock"
