#!/usr/bin/env bash
# The tests of the app drive a real browser. Finds Chromium or Chrome, else installs Debian's where that needs no
# question. Without one the tests still run: those that need it are skipped, and in CI a skipped test fails.
set -euo pipefail

say() { printf 'browser: %s\n' "$*" >&2; }

for name in chromium chromium-browser google-chrome google-chrome-stable; do
    if command -v "$name" >/dev/null; then exit 0; fi
done
sudo=()
if [ "$(id -u)" -ne 0 ]; then sudo=(sudo -n); fi
if command -v apt-get >/dev/null && { [ ${#sudo[@]} -eq 0 ] || sudo -n true 2>/dev/null; }; then
    say "installing Chromium for the tests of the app"
    "${sudo[@]}" apt-get update -qq >&2 || say "apt-get update failed; trying with the package lists at hand"
    if "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >&2; then
        exit 0
    fi
fi
say "no Chromium or Chrome was found, so the tests that drive the app in a browser will be skipped." \
    "To run them too: sudo apt-get install -y chromium"
