#!/usr/bin/env bash
# tools/build_twice.sh FILE.pex: builds it again as somebody else would, and compares every byte.
# Another folder, home, PEX_ROOT, umask, times of files, time zone and language. Shared are uv's
# downloads, and pex's lock, which is held against uv.lock anyway.
set -euo pipefail
cd "$(dirname "$0")/.."
first=$(realpath "${1:?build_twice.sh FILE.pex}")
elsewhere=$(mktemp -d)
trap 'rm -rf "$elsewhere"' EXIT
export UV_CACHE_DIR=${UV_CACHE_DIR:-$("$UV" cache dir)}
mkdir "$elsewhere/a folder" "$elsewhere/home"
umask 077
# What git would give to another, and what is not committed yet.
git ls-files -z --cached --others --exclude-standard |
  tar --create --null --files-from - | tar --extract --directory "$elsewhere/a folder"
mkdir -p "$elsewhere/a folder/build/pex"
cp build/pex/{lock.json,locked-requirements.txt} "$elsewhere/a folder/build/pex"
find "$elsewhere" -exec touch --no-dereference --date=@1000000000 {} +
cd "$elsewhere/home"
HOME=$PWD TZ=Asia/Kathmandu LC_ALL=C LANG=ru_RU.UTF-8 PYTHONHASHSEED=17 PEX_ROOT=$PWD/unused \
  "$elsewhere/a folder/build_pex.sh" "$PWD/lambda-matrix.pex"
for suffix in .pex .pex.sha256 .cdx.json .licenses.txt; do
  cmp "lambda-matrix$suffix" "${first%.pex}$suffix"
done
echo "The same bytes twice."
