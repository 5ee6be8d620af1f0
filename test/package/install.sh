#!/usr/bin/env bash
# Installs what `npm run package` makes in a Debian of its own, runs, configures, upgrades, breaks and removes it there.
# Root, Linux, debootstrap (apt install debootstrap). FORECOURT_DEBIAN names a folder that keeps the bare Debian for the next run.
set -euo pipefail
cd "$(dirname "$0")/../.."
repository=$PWD
suite=${FORECOURT_SUITE:-trixie}
[ "$(id -u)" -eq 0 ] || { echo "run it as root" >&2; exit 2; }
command -v debootstrap >/dev/null || { echo "it needs debootstrap: apt install debootstrap" >&2; exit 2; }
work=$(mktemp -d "${TMPDIR:-/tmp}/forecourt-proof.XXXXXX")
trap 'rm -rf --one-file-system "$work"' EXIT
say() { printf '\n== %s\n' "$*"; }

# Mirror and proxy are this machine's.
mirror=$(apt-get indextargets --format '$(ORIGIN) $(REPO_URI)' | sed -n 's/^Debian //p' | grep -v security | head -n1)
base=${FORECOURT_DEBIAN:-$work/base}
if [ ! -e "$base/etc/debian_version" ]; then
  say "a bare Debian $suite"
  debootstrap --variant=minbase "$suite" "$base" "$mirror" >"$work/debootstrap.log" || { tail "$work/debootstrap.log"; exit 1; }
fi
apt-config dump | grep -E '^Acquire::(http|https)::Proxy' >"$base/etc/apt/apt.conf.d/90proxy" || true

say "packages of two versions, and two releases that do not work"
openssl genpkey -algorithm ed25519 -out "$work/key.pem"
node deploy/package.mjs --only deb --key "$work/key.pem" --out "$work/one"
node deploy/package.mjs --key "$work/key.pem" --version 9.2.0 --out "$work/two"
tarball=$(echo "$work"/two/*.tar.gz)
node test/package/spoil.mjs "$tarball" "$work/key.pem" 9.3.0 falls "$work/two/falls.tar.gz"
node test/package/spoil.mjs "$tarball" "$work/key.pem" 9.3.1 mute "$work/two/mute.tar.gz"

# A machine of its own: processes, network and mounts end with the script inside.
inside() {
  local root=$1 script=$2
  shift 2
  mkdir -p "$root/repository" "$root/proof"
  cp "$work"/one/*.deb "$work"/two/*.deb "$work"/two/*.gz test/package/* "$root/proof/"
  unshare --mount --pid --fork --net --mount-proc="$root/proc" bash -c '
    mount --rbind /dev "$1/dev"; mount --bind "$2" "$1/repository"; mount -t tmpfs tmpfs "$1/run"
    ip link set lo up
    exec chroot "$1" env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 bash "/proof/$3" "${@:4}"
  ' _ "$root" "$repository" "$script" "$@"
}

say "Debian's Node"
cp -a "$base" "$work/deb"
cp -a "$base" "$work/tarball"
cp /etc/resolv.conf "$work/deb/etc/resolv.conf"
chroot "$work/deb" sh -c 'apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends nodejs adduser' >"$work/apt.log" 2>&1 ||
  { tail "$work/apt.log"; exit 1; }
chroot "$work/deb" node --version

say "the package"
inside "$work/deb" inside-deb.sh
say "the tarball, without a Node"
inside "$work/tarball" inside-tarball.sh
say "everything holds"
