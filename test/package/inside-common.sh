#!/bin/bash
# What both proofs need; runs inside, where this is the first process of all.
set -euo pipefail
fail() { echo "FAILED: $*" >&2; tail -n 20 /var/log/forecourt.log >&2 2>/dev/null || true; exit 1; }
good() { echo "ok    $*"; }
# A GET without any tool: prints the body.
get() {
  exec 9<>"/dev/tcp/127.0.0.1/$1" || return 1
  printf 'GET %s HTTP/1.0\r\nHost: 127.0.0.1:%s\r\n\r\n' "$2" "$1" >&9
  sed '1,/^\r$/d' <&9
  exec 9<&- 9>&-
}
until_true() {
  local what=$1 within=$2 begun=$SECONDS
  shift 2
  until "$@" >/dev/null 2>&1; do
    [ $((SECONDS - begun)) -lt "$within" ] || fail "$what: not within $within s"
    sleep 0.2
  done
  good "$what ($((SECONDS - begun)) s)"
}
answers() { get 8080 /health | grep -q '"status"'; }
runs() { get 8080 /api/status | grep -q "\"version\":\"$1\""; }
connected() { get 8080 /api/status | grep -q '"station":"CP01","connected":true'; }
mode_is() { [ "$(stat -c '%U:%G %a' "$1")" = "$2" ] || fail "$1 is $(stat -c '%U:%G %a' "$1"), not $2"; }
nothing_left() {
  local left
  left=$(find / -xdev \( -path /proc -o -path /proof -o -path /repository -o -path /dev -o -path /var/cache/apt -o -path /var/log \) -prune -o -iname '*forecourt*' -print)
  [ -z "$left" ] || fail "left behind: $left"
  ! grep -q forecourt /etc/passwd /etc/group /etc/shadow || fail "the user is still there"
  good "nothing is left"
}
# Every other process ends at once, as with the power.
power_cut() {
  local pid
  for pid in $(ps_all); do kill -9 "$pid" 2>/dev/null || true; done
  rm -f /run/forecourt.on /run/forecourt.pid /run/forecourt.loop
}
ps_all() { for each in /proc/[0-9]*; do each=${each#/proc/}; [ "$each" -eq $$ ] || [ "$each" -eq "$BASHPID" ] || echo "$each"; done; }
