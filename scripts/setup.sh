#!/usr/bin/env bash
# Installs the Debian packages that are missing, and nothing else:
#   setup.sh build    what building the server needs
#   setup.sh lab      that, and what one asks with in the lab: dig
#   setup.sh test     that, and what the tests, the linters and the fuzzers need
#   setup.sh peers    that, and the servers that bench/macro/peers.py measures beside ours
#   setup.sh report   what the tests need, and Node.js with npm, wherever they are from
# When nothing is missing it neither touches the network nor asks for a password.
set -euo pipefail

build_packages=(
  clang-19 lld-19 llvm-19 libstdc++-12-dev cmake ninja-build ccache pkg-config
  libtomlplusplus-dev libcli11-dev libspdlog-dev libfmt-dev nlohmann-json3-dev libabsl-dev
  libgtest-dev libgmock-dev libbenchmark-dev liburing-dev libxxhash-dev libldns-dev libssl-dev
)
lab_packages=(bind9-dnsutils)
test_packages=(
  libclang-rt-19-dev clang-format-19 clang-tidy-19
  nsd dnsperf knot-dnsutils "${lab_packages[@]}" python3 python3-pytest python3-dnspython python3-scipy
  iproute2 valgrind faketime gcc libc6-dev python3-cryptography
)
peer_packages=(unbound knot-resolver pdns-recursor dnsdist bind9)
daemons=(nsd "${peer_packages[@]}")

die() {
  echo "setup: $*" >&2
  exit 1
}

missing() {
  local package
  for package in "$@"; do
    [[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) == installed ]] || echo "$package"
  done
}

as_root() { "${sudo[@]}" "$@"; }

apt_install() {
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends \
    -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 "$@" </dev/null ||
    die "apt-get could not install: $* (its own message is above)"
}

# Debian starts and enables a daemon as soon as it is installed. The tests and the benchmarks start their own, so these must
# neither take port 53 now (policy-rc.d, see invoke-rc.d(8)) nor after the next boot.
install_daemons_stopped() {
  local policy=/usr/sbin/policy-rc.d package
  if [[ ! -e $policy ]]; then
    printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
    trap 'as_root rm -f '"$policy" EXIT
    as_root chmod 755 "$policy"
  fi
  apt_install "$@"
  for package in "$@"; do
    disable_services "$package" || echo "setup: could not disable the services of $package" >&2
  done
}

# A service is not always called like its package (named is in bind9), and has a unit, an init script or both.
disable_services() {
  local file failed=0
  while read -r file; do
    case $file in
      /etc/init.d/*) as_root update-rc.d "${file##*/}" disable >/dev/null 2>&1 || failed=1 ;;
      */systemd/system/*@.service) ;;
      */systemd/system/*.service | */systemd/system/*.target)
        ! command -v systemctl >/dev/null || as_root systemctl disable "${file##*/}" >/dev/null 2>&1 || failed=1
        ;;
    esac
  done < <(dpkg -L "$1")
  return "$failed"
}

is_daemon() { [[ " ${daemons[*]} " == *" $1 "* ]]; }

# Debian's npm cannot be installed beside a Node.js from elsewhere, which has its own.
page_packages() {
  command -v node >/dev/null || echo nodejs
  command -v npm >/dev/null || echo npm
}

case "${1:-}" in
  build) wanted=("${build_packages[@]}") ;;
  lab) wanted=("${build_packages[@]}" "${lab_packages[@]}") ;;
  test) wanted=("${build_packages[@]}" "${test_packages[@]}") ;;
  peers) wanted=("${build_packages[@]}" "${test_packages[@]}" "${peer_packages[@]}") ;;
  report)
    mapfile -t wanted < <(page_packages)
    wanted+=("${build_packages[@]}" "${test_packages[@]}")
    ;;
  *) die "usage: scripts/setup.sh build|lab|test|peers|report" ;;
esac

distribution=$(. /etc/os-release 2>/dev/null && echo "${ID:-unknown} ${VERSION_ID:-}") || distribution=unknown
[[ $distribution == "debian 12" ]] ||
  die "this is '$distribution'; only Debian 12 is supported (a container of debian:12 will do)"

mapfile -t lacking < <(missing "${wanted[@]}")
((${#lacking[@]})) || exit 0

sudo=()
if ((EUID != 0)); then
  command -v sudo >/dev/null || die "no sudo here; as root run: apt-get install ${lacking[*]}"
  sudo=(sudo)
fi

echo "setup: installing Debian packages: ${lacking[*]}"
# A broken foreign repository must not stop us: whether the lists are good enough, the installation shows.
as_root apt-get update -qq </dev/null || echo "setup: apt-get update failed, trying with the lists at hand" >&2
plain=()
stopped=()
for package in "${lacking[@]}"; do
  if is_daemon "$package"; then stopped+=("$package"); else plain+=("$package"); fi
done
((${#plain[@]} == 0)) || apt_install "${plain[@]}"
((${#stopped[@]} == 0)) || install_daemons_stopped "${stopped[@]}"
echo "setup: done"
