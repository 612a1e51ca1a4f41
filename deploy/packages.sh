#!/bin/bash
# Installs what building, testing and demonstrating need on Debian 12. Quick and silent when all is there.
#
#   deploy/packages.sh            everything
#   deploy/packages.sh build      what the build needs
#   deploy/packages.sh cluster    what tests/cluster needs beside all that
#   deploy/packages.sh --list     says what would be installed, and installs nothing
set -euo pipefail

build=(
  ca-certificates ccache cmake g++ ninja-build pkg-config
  catch2 libboost1.81-dev libboost-json1.81-dev libboost-system1.81-dev libboost-url1.81-dev libc-ares-dev libcli11-dev
  libcrypt-dev libcurl4-openssl-dev libdeflate-dev libldap-dev libmimalloc-dev libmimetic-dev prometheus-cpp-dev
  librocksdb-dev libspdlog-dev libssl-dev libtomlplusplus-dev python3
)
# clang is the second compiler, prometheus brings promtool, the mailbox servers are real ones.
tests=(e2fsprogs clang-14 clang-format-14 curl cyrus-imapd cyrus-replication dovecot-core dovecot-lmtpd dovecot-sieve
  ldap-utils libfaketime libnet-ssleay-perl libsasl2-modules openssl postfix procps prometheus sasl2-bin slapd spin swaks)
# A whole cluster runs among the tests; the others of tests/cluster need some more.
tests+=(corosync corosync-qdevice corosync-qnetd crmsh iproute2 libxml2-utils pacemaker pacemaker-cli-utils resource-agents util-linux)
cluster=(iptables keepalived)

installed() {
  [ "$(dpkg-query -W -f '${db:Status-Abbrev}' "$1" 2>/dev/null | cut -c1-2)" = ii ]
}

wanted=("${build[@]}")
[ "${1:-}" = build ] || wanted+=("${tests[@]}")
[ "${1:-}" != cluster ] || wanted+=("${cluster[@]}")
missing=()
for package in "${wanted[@]}"; do
  installed "$package" || missing+=("$package")
done
if [ "${1:-}" = --list ]; then
  printf '%s\n' "${missing[@]}"
  exit 0
fi
[ ${#missing[@]} -gt 0 ] || exit 0

administrator=()
if [ "$(id -u)" != 0 ]; then
  command -v sudo >/dev/null || { echo "packages are missing and this is not root: ${missing[*]}" >&2; exit 1; }
  administrator=(sudo)
fi

# The daemons among the packages are started by the tests themselves, on ports of their own.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' | "${administrator[@]}" tee "$policy" >/dev/null
  "${administrator[@]}" chmod 755 "$policy"
  trap '"${administrator[@]}" rm -f "$policy"' EXIT
fi

echo "installing ${missing[*]}"
log=$(mktemp)
apt_get() {
  "${administrator[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -o Dpkg::Use-Pty=0 -o Acquire::Retries=3 -qq "$@" \
    >"$log" 2>&1 </dev/null
}
{ apt_get update && apt_get install -y --no-install-recommends "${missing[@]}"; } || {
  cat "$log" >&2
  echo "could not install ${missing[*]}" >&2
  exit 1
}
rm -f "$log"
