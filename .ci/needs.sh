#!/bin/sh
# Brings what the nights with real processes need, where Debian's packages can be had: Java, Maven, PostgreSQL and a way
# to set the clock of one process. Ends with 0 where all of it is there, else with 1 and the names of what is missing.
set -u

has() { command -v "$1" >/dev/null 2>&1; }

missing() {
  has java || printf ' default-jre-headless'
  has mvn || printf ' maven'
  has initdb || [ -n "$(find /usr/lib/postgresql -name initdb 2>/dev/null)" ] || printf ' postgresql'
  [ -n "$(find /usr/lib -name libfaketimeMT.so.1 2>/dev/null)" ] || printf ' faketime'
}

wanted=$(missing)
if [ -n "$wanted" ] && has apt-get; then
  root=""
  [ "$(id -u)" = 0 ] || root="sudo -n"
  printf 'installing%s\n' "$wanted" >&2
  # shellcheck disable=SC2086 # several names, and perhaps no sudo
  { $root apt-get update -q && DEBIAN_FRONTEND=noninteractive $root apt-get install -y -q --no-install-recommends $wanted; } >&2
fi
wanted=$(missing)
[ -z "$wanted" ] || { printf 'not to be had here:%s\n' "$wanted" >&2; exit 1; }
