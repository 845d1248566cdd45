#!/usr/bin/env bash
# Prepares .venv inside the checkout: finds a Python, checks the system libraries, installs the locked versions.
# Does nothing, quickly, when the lock file and pyproject.toml have not changed since the last time.
# PYTHON=/path/to/python3.12 chooses the interpreter of a new environment.
set -euo pipefail
cd "$(dirname "$0")/.."

venv_python=.venv/bin/python
stamp_file=.venv/.formcheck-installed

say() { printf 'setup: %s\n' "$*" >&2; }
stop() { say "$*"; exit 1; }

# A shim (pyenv's, for one) can exist and still not run, so a candidate is run, not only looked up.
is_new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }
can_make_venv() { "$1" -c 'import ensurepip, venv' 2>/dev/null; }

find_python() {
    local candidate first="" candidates=(python3 python3.13 python3.12 python3.11 python3.14)
    if [ -n "${PYTHON:-}" ]; then candidates=("$PYTHON"); fi
    for candidate in "${candidates[@]}"; do
        is_new_enough "$candidate" || continue
        if can_make_venv "$candidate"; then printf '%s' "$candidate"; return; fi
        first=${first:-$candidate}
    done
    printf '%s' "$first" # new enough, but its venv package is missing; or nothing at all
}

# Installs Debian or Ubuntu packages where that needs no question, else stops with the line to run.
apt_install() {
    local sudo=()
    if [ "$(id -u)" -ne 0 ]; then sudo=(sudo -n); fi
    if command -v apt-get >/dev/null && { [ ${#sudo[@]} -eq 0 ] || sudo -n true 2>/dev/null; }; then
        say "installing system packages: $*"
        "${sudo[@]}" apt-get update -qq >&2 || say "apt-get update failed; trying with the package lists at hand"
        "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >&2 && return
    fi
    stop "system packages are missing. Run this, then the same command again: sudo apt-get install -y $*"
}

# Prints the packages whose library the loader cannot find. One "library package" pair a line; a program that
# the tests need (a browser, for one) gets its own check beside this one.
missing_libraries() {
    "$1" - <<'PAIRS'
import ctypes

PAIRS = {
    "libEGL.so.1": "libegl1",  # mediapipe
    "libGLESv2.so.2": "libgles2",  # mediapipe
    "libGL.so.1": "libgl1",  # OpenCV
    "libgthread-2.0.so.0": "libglib2.0-0",  # OpenCV
}
for library, package in PAIRS.items():
    try:
        ctypes.CDLL(library)
    except OSError:
        print(package)
PAIRS
}

check_libraries() {
    local packages
    packages=$(missing_libraries "$1")
    # shellcheck disable=SC2086  # one word per package is meant
    if [ -n "$packages" ]; then apt_install $packages; fi
}

make_venv() {
    local python
    if [ -e .venv ] && [ ! -w .venv ]; then
        stop "you may not write to .venv in this folder; run as its owner, or have it deleted"
    fi
    python=$(find_python)
    [ -n "$python" ] || stop "Python 3.11 or newer is needed and none was found. Install one (for example: sudo apt-get" \
        "install -y python3 python3-venv), or name one: make setup PYTHON=/path/to/python3.12"
    if ! can_make_venv "$python"; then
        apt_install "python$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')-venv"
    fi
    say "making .venv with $("$python" --version)"
    rm -rf .venv
    "$python" -m venv .venv
}

venv_works() { [ -x "$venv_python" ] && is_new_enough "$venv_python" && "$venv_python" -c 'import pip' 2>/dev/null; }

if ! venv_works; then make_venv; fi
check_libraries "$venv_python"

# The folder is part of the stamp, because the scripts of a virtual environment hold its path.
stamp=$({ pwd; "$venv_python" --version; cat requirements.lock pyproject.toml; } | sha256sum)
if [ "$(cat "$stamp_file" 2>/dev/null || true)" = "$stamp" ]; then exit 0; fi

say "installing the locked packages into .venv (a few minutes the first time)"
pip=("$venv_python" -m pip --disable-pip-version-check --quiet)
rm -f "$stamp_file"
"${pip[@]}" install --require-hashes --only-binary :all: -r requirements.lock
"${pip[@]}" install --no-deps --no-build-isolation --editable .
printf '%s\n' "$stamp" >"$stamp_file"
say "done"
