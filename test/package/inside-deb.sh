#!/bin/bash
# Inside: the Debian package, from its installation to its purge.
. /proof/inside-common.sh
control=/opt/forecourt/service-control
first=$(echo /proof/forecourt_0*.deb)
second=$(echo /proof/forecourt_9*.deb)
upgrade=$(echo /proof/forecourt-9.2.0-*.tar.gz)
version=$(dpkg-deb -f "$first" Version)

dpkg -i "$first" >/dev/null
good "installed $version"
mode_is /var/lib/forecourt "forecourt:forecourt 700"
mode_is /etc/forecourt "root:forecourt 1770"
mode_is /etc/forecourt/keys "root:root 755"
mode_is /etc/forecourt/site.yaml "forecourt:forecourt 640"
id -nG forecourt | grep -qw dialout || fail "the user may not use serial ports"
setpriv --reuid forecourt --regid forecourt --init-groups sh -c '! touch /etc/forecourt/keys/x 2>/dev/null && ! mv /etc/forecourt/keys /etc/forecourt/k 2>/dev/null' ||
  fail "the gateway may write keys"
good "user and modes"
grep -q '^ExecStart=/usr/lib/forecourt/launch run /etc/forecourt/site.yaml$' /usr/lib/systemd/system/forecourt.service || fail "ExecStart"
echo /usr/lib/forecourt/launch >/run/launch
mkdir -p /opt/forecourt
install -m 0755 /proof/service-control $control

$control start
until_true "the site as installed is served" 60 answers
get 8080 /health | grep -q NEW-SITE || fail "not this site"
mode_is /var/lib/forecourt/journal.db "forecourt:forecourt 600"
forecourt status >/dev/null && forecourt check /etc/forecourt/site.yaml >/dev/null || fail "the command line"
begun=$SECONDS
$control stop || fail "does not stop"
good "stopped in $((SECONDS - begun)) s"

sed -i 's/NEW-SITE/PROOF-01/; s/max-current: 6 A/max-current: 16 A/' /etc/forecourt/site.yaml
node /repository/test/package/charger.mjs ws://127.0.0.1:9000/CP01 >/dev/null 2>&1 &
$control start
until_true "configured: a charger is let in" 60 connected

say_kept() { grep -q PROOF-01 /etc/forecourt/site.yaml || fail "site.yaml was written over"; }
$control stop
dpkg -i "$second" >/dev/null
say_kept
$control start
until_true "apt's upgrade runs" 60 runs 9.2.0
dpkg -i "$second" >/dev/null && good "installed again"
$control stop
dpkg -i "$first" >/dev/null 2>&1
say_kept
$control start
until_true "and the older package again" 60 runs "$version"
until_true "with its charger" 60 connected

! forecourt upgrade /proof/install.sh 2>/tmp/err || fail "took something else"
grep -q FC-U02 /tmp/err || fail "$(cat /tmp/err)"
cp "$upgrade" /tmp/changed.tar.gz && printf 'x' | dd of=/tmp/changed.tar.gz bs=1 seek=20000000 conv=notrunc status=none
! forecourt upgrade /tmp/changed.tar.gz 2>/tmp/err || fail "took a damaged release"
grep -q FC-U0 /tmp/err || fail "$(cat /tmp/err)"
[ -z "$(ls /opt/forecourt/releases)" ] || fail "a damaged release left something"
good "damaged files are refused"

for how in falls mute; do
  forecourt upgrade --trial 1 "/proof/$how.tar.gz" >/tmp/out 2>&1 && fail "kept a release that does not work" || true
  grep -q FC-U04 /tmp/out || fail "$(cat /tmp/out)"
  until_true "a release that is no good ($how): back on $version" 60 runs "$version"
done

# The power goes at some moments of an upgrade, with real releases.
for delay in 0.1 0.8 1.4 2 3 5 8; do
  forecourt upgrade "$upgrade" >/tmp/out 2>&1 &
  until [ -e /opt/forecourt/upgrade.json ]; do sleep 0.02; done
  sleep $delay
  stage=$(sed 's/.*"stage":"\([a-z]*\)".*/\1/' /opt/forecourt/upgrade.json)
  power_cut
  wait || true
  $control start
  $control carry-out
  node /repository/test/package/charger.mjs ws://127.0.0.1:9000/CP01 >/dev/null 2>&1 &
  until_true "the power went after $delay s ($stage): the site is served" 60 answers
  until_true "its charger is back" 60 connected
  until_true "the upgrade comes to an end" 120 test ! -e /opt/forecourt/upgrade.json
  echo "      $(forecourt upgrade --status | tail -n1)"
  $control stop
  rm -rf /opt/forecourt/releases /opt/forecourt/current /opt/forecourt/former /opt/forecourt/last-upgrade.json
  $control start
  until_true "the packaged release again" 60 connected
done

forecourt upgrade "$upgrade" >/tmp/out 2>&1 || fail "$(cat /tmp/out)"
runs 9.2.0 || fail "not the new release"
good "upgraded"
forecourt upgrade --back >/tmp/out 2>&1 || fail "$(cat /tmp/out)"
runs "$version" || fail "not the former release"
good "and back by hand"
forecourt upgrade --status

$control stop
# Whether all books agree to the last Wh is for the tests of the program, on a machine with nothing else to do.
setpriv --reuid forecourt --regid forecourt --init-groups sh -c 'cd /tmp && exec forecourt demo --once --json' >/tmp/demo.json || true
[ "$(grep -c '"name": "charge detail record"' /tmp/demo.json)" -eq 16 ] || fail "the demo site"
good "the demo site is served"
sed -n '/"differences"/,$p' /tmp/demo.json

dpkg --remove forecourt >/dev/null 2>&1
say_kept
good "removed: the site stays"
dpkg --purge forecourt >/dev/null 2>&1
nothing_left
