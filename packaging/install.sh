#!/bin/sh
# Installs flannelscope from the wheels beside this script; needs no network, no compiler and no root.
# Usage: ./install.sh [DIRECTORY]   (default: ~/.local/share/flannelscope; the command is linked into ~/.local/bin)
# PYTHON names the interpreter (default: python3).
set -eu
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
python=${PYTHON:-python3}
target=${1:-"$HOME/.local/share/flannelscope"}

command -v "$python" >/dev/null 2>&1 || { echo "install.sh: there is no $python here. Name one: PYTHON=/path/to/python3 $0" >&2; exit 1; }
made_for=$(cat "$here/made-for")
found=$("$python" "$here/made_for.py")
if [ "$made_for" != "$found" ]; then
  echo "install.sh: these wheels are for Python $made_for, and $python is $found." >&2
  echo "Name a fitting interpreter with PYTHON=..., or run 'make wheelhouse PYTHON=...' with this version elsewhere." >&2
  exit 1
fi

# pip comes as a wheel too: Debian and Ubuntu leave it out of their Python unless python3-venv is installed.
"$python" -m venv --clear --without-pip "$target"
set -- "$here"/wheels/pip-*.whl
"$target/bin/python" "$1/pip" install --quiet --no-index --find-links "$here/wheels" --disable-pip-version-check flannelscope
"$target/bin/flannelscope" --version

bin="$HOME/.local/bin"
if [ "$target" = "$HOME/.local/share/flannelscope" ]; then
  mkdir -p "$bin"
  ln -sf "$target/bin/flannelscope" "$bin/flannelscope"
  echo "installed: $bin/flannelscope"
else
  echo "installed: $target/bin/flannelscope"
fi
