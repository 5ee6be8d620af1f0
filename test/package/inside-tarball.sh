#!/bin/bash
# Inside: the tarball, in a Debian without a Node.
. /proof/inside-common.sh
! command -v node >/dev/null || fail "there is a Node here"
mkdir -p /etc/systemd/system /tmp/here
tar xzf /proof/forecourt-9.2.0-*.tar.gz -C /tmp/here
sh /tmp/here/forecourt-9.2.0/install.sh
sh /tmp/here/forecourt-9.2.0/install.sh
good "installed, twice"
mode_is /var/lib/forecourt "forecourt:forecourt 700"
mode_is /etc/forecourt "root:forecourt 1770"
mode_is /etc/forecourt/site.yaml "forecourt:forecourt 640"
grep -q '^ExecStart=/opt/forecourt/launch run' /etc/systemd/system/forecourt.service || fail "ExecStart"
forecourt check /etc/forecourt/site.yaml >/dev/null || fail "the command line"
echo /opt/forecourt/launch >/run/launch
install -m 0755 /proof/service-control /opt/forecourt/service-control
/opt/forecourt/service-control start
until_true "the site as installed is served" 60 answers
forecourt upgrade --trial 1 /proof/falls.tar.gz >/tmp/out 2>&1 && fail "kept a release that falls" || true
until_true "a release that falls: back" 60 runs 9.2.0
forecourt upgrade --status
/opt/forecourt/service-control stop
sh /tmp/here/forecourt-9.2.0/install.sh --purge
rm -rf /tmp/here
nothing_left
