#!/bin/sh
# Installs the release in this folder to /opt/forecourt, for systemd or OpenWrt's procd; once more installs it anew and keeps
# the site. `sh install.sh --remove` takes the program away, `--purge` the site and its journal as well.
set -eu
home=/opt/forecourt
here=$(cd -P "$(dirname "$0")" && pwd)
link=/usr/local/bin/forecourt
procd=
systemd=
if [ -x /sbin/procd ]; then
  procd=yes
  link=/usr/bin/forecourt
elif [ -d /etc/systemd/system ]; then
  systemd=yes
fi
say() { echo "$*" >&2; }
[ "$(id -u)" -eq 0 ] || { say "run it as root"; exit 1; }
running_systemd() { [ -n "$systemd" ] && [ -d /run/systemd/system ]; }

remove() {
  if running_systemd; then systemctl disable --now forecourt-upgrade forecourt || true; fi
  if [ -n "$procd" ] && [ -x /etc/init.d/forecourt ]; then
    for name in forecourt-upgrade forecourt; do
      "/etc/init.d/$name" stop || true
      "/etc/init.d/$name" disable || true
    done
  fi
  rm -f /etc/systemd/system/forecourt.service /etc/systemd/system/forecourt-upgrade.service
  rm -f /etc/init.d/forecourt /etc/init.d/forecourt-upgrade "$link"
  rm -rf "$home"
  if running_systemd; then systemctl daemon-reload; fi
  [ "$1" = --purge ] || return 0
  rm -rf /etc/forecourt /var/lib/forecourt
  if command -v userdel >/dev/null; then
    userdel forecourt
  else
    for file in /etc/passwd /etc/shadow /etc/group; do
      if [ -e "$file" ]; then sed -i '/^forecourt:/d; s/:forecourt$/:/; s/,forecourt$//; s/\([:,]\)forecourt,/\1/' "$file"; fi
    done
  fi
}

# OpenWrt has no tool for it.
add_user() {
  if grep -q '^forecourt:' /etc/passwd; then return 0; fi
  if command -v useradd >/dev/null; then
    useradd --system --user-group --home-dir /var/lib/forecourt --shell /bin/false forecourt
  else
    id=$(awk -F: '$3 >= 900 && $3 < 60000 && $3 > top { top = $3 } END { print (top ? top : 899) + 1 }' /etc/passwd /etc/group)
    echo "forecourt:x:$id:" >>/etc/group
    echo "forecourt:x:$id:$id:forecourt:/var/lib/forecourt:/bin/false" >>/etc/passwd
    if [ -e /etc/shadow ]; then echo 'forecourt:!:0:0:99999:7:::' >>/etc/shadow; fi
  fi
}

join_dialout() {
  grep -q '^dialout:' /etc/group || return 0
  if command -v usermod >/dev/null; then
    usermod -a -G dialout forecourt
  elif ! grep -q '^dialout:.*forecourt' /etc/group; then
    sed -i 's/^\(dialout:.*:\)$/\1forecourt/; t; s/^\(dialout:.*\)$/\1,forecourt/' /etc/group
  fi
}

own_folder() {
  mkdir -p "$1"
  chown "$2" "$1"
  chmod "$3" "$1"
}

case ${1-} in
'') ;;
--remove | --purge)
  remove "$1"
  exit
  ;;
*)
  say "usage: sh install.sh [--remove | --purge]"
  exit 2
  ;;
esac

"$here/bin/forecourt" --version >/dev/null || {
  say "this release does not run here: take the tarball that was made for this processor and C library"
  exit 1
}
if [ -e "$home/upgrade.json" ]; then
  say "an upgrade is on trial: wait for its verdict (forecourt upgrade --status)"
  exit 1
fi
name=$("$here/bin/forecourt" --version)+$(sha256sum "$here/manifest.json" | cut -c1-8)
add_user
join_dialout
own_folder /var/lib/forecourt forecourt:forecourt 0700
own_folder /etc/forecourt root:forecourt 1770
own_folder /etc/forecourt/keys root:root 0755
own_folder /etc/forecourt/secrets forecourt:forecourt 0750
own_folder /etc/forecourt/devices forecourt:forecourt 0750
mkdir -p "$home/releases"
partial=$home/releases/$name.partial
rm -rf "$partial"
if [ ! -d "$home/releases/$name" ]; then
  cp -R "$here" "$partial"
  chown -R root:root "$partial"
  chmod -R u=rwX,go=rX "$partial"
fi
cp "$here/install/launch" "$home/launch.new"
chmod 0755 "$home/launch.new"
# Whole on the disk before they are in use: the power may go, and a release that is there is not copied again.
sync
if [ -d "$partial" ]; then mv "$partial" "$home/releases/$name"; fi
mv -f "$home/launch.new" "$home/launch"
ln -sfn "releases/$name" "$home/current.new"
mv -Tf "$home/current.new" "$home/current" 2>/dev/null || { rm -f "$home/current" && mv "$home/current.new" "$home/current"; }
mkdir -p "${link%/*}"
ln -sf "$home/launch" "$link"
if [ ! -e /etc/forecourt/site.yaml ]; then
  sed "s#/usr/share/forecourt/site.schema.json#$home/current/out/bundle/site.schema.json#; s#/usr/share/doc/forecourt/#$home/current/docs/#" \
    "$here/install/site.yaml" >/etc/forecourt/site.yaml
  chown forecourt:forecourt /etc/forecourt/site.yaml
  chmod 0640 /etc/forecourt/site.yaml
fi

if [ -n "$procd" ]; then
  cp "$here/install/openwrt/forecourt" "$here/install/openwrt/forecourt-upgrade" /etc/init.d/
  chmod 0755 /etc/init.d/forecourt /etc/init.d/forecourt-upgrade
  /etc/init.d/forecourt enable
  /etc/init.d/forecourt-upgrade enable
  /etc/init.d/forecourt restart
elif [ -n "$systemd" ]; then
  for unit in forecourt.service forecourt-upgrade.service; do
    sed "s#/usr/lib/forecourt/launch#$home/launch#; s#/usr/share/doc/forecourt/#$home/current/docs/#" "$here/install/$unit" \
      >"/etc/systemd/system/$unit"
  done
  if running_systemd; then
    systemctl daemon-reload
    systemctl enable forecourt forecourt-upgrade
    systemctl restart forecourt
  fi
else
  say "neither systemd nor procd here: let your service manager run $home/launch run /etc/forecourt/site.yaml as user forecourt"
fi
say "Forecourt $name is installed; the site is /etc/forecourt/site.yaml"
