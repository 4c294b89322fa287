#!/bin/bash
# Prepares a Debian 12 machine: just enough to run Node 24, which does the rest (e2e/setup/setup.ts). What is there
# already is skipped, so a second run takes a second.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf '%s\n' "$*" >&2; }
now() { date +%s.%N; }
step() { # step TITLE COMMAND…
  local title=$1 started ended
  shift
  started=$(now)
  "$@" || { say "FAILED: $title"; exit 1; }
  ended=$(now)
  LC_ALL=C awk -v a="$started" -v b="$ended" -v t="$title" 'BEGIN { printf "%7.1f s  %s\n", b - a, t }' >&2
}
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }
installed() { dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null | grep -qx installed; }
have() { command -v "$1" >/dev/null 2>&1; }

is_debian_12() { grep -qs '^ID=debian$' /etc/os-release && grep -qs '^VERSION_CODENAME=bookworm$' /etc/os-release; }

# A node and an npm of any origin will do: they only fetch the Node that this project runs on.
bootstrap_packages() {
  local missing=()
  have node || missing+=(nodejs)
  have npm || missing+=(npm)
  installed ca-certificates || missing+=(ca-certificates)
  [ ${#missing[@]} = 0 ] && return
  as_root apt-get -qq update || return 1
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "${missing[@]}" >/dev/null
}

# The packages are kept in the cache by the lock file, so that another clone on this machine needs no registry.
npm_packages() {
  local wanted kept
  wanted=$(cat package-lock.json .npmrc | sha256sum | cut -c1-16)
  if [ -x node_modules/node/bin/node ] && [ "$(cat node_modules/.palisade-lock 2>/dev/null)" = "$wanted" ]; then return; fi
  kept=${PALISADE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/palisade}/npm-$wanted
  if [ -d "$kept" ]; then
    rm -rf node_modules
    cp -a "$kept" node_modules
    return
  fi
  # Not `npm ci`: it refuses a lock file without the builds of optional packages for other platforms, and registries do
  # not have them all. Versions and checksums are those of the lock file here too.
  # npm's check of engines would look at the node that runs npm, which may be the machine's old one.
  local install=(install --no-save --engine-strict=false --no-progress --loglevel=error)
  npm "${install[@]}" >&2 || return 1
  # An old node makes npm leave out, without a word, optional packages that ask for a newer one: the native parts of the
  # linter, the formatter and the test runner. Now that Node 24 is here, its npm brings them.
  node_modules/node/bin/node node_modules/npm/bin/npm-cli.js "${install[@]}" >&2 || return 1
  printf '%s\n' "$wanted" > node_modules/.palisade-lock
  mkdir -p "$(dirname "$kept")"
  cp -a node_modules "$kept.partial-$$" && { mv -T "$kept.partial-$$" "$kept" 2>/dev/null || rm -rf "$kept.partial-$$"; }
}

if is_debian_12; then
  step "node and npm to begin with" bootstrap_packages
elif ! have node || ! have npm; then
  say "This is not Debian 12, so nothing is installed for you. Missing: $(have node || echo node) $(have npm || echo npm)."
  exit 1
fi
step "npm packages, among them Node 24" npm_packages
exec node_modules/node/bin/node e2e/setup/setup.ts
