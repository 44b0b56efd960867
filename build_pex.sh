#!/usr/bin/env bash
# build_pex.sh OUT.pex: the program and all that it needs in one file, for CPython 3.11 to 3.14 on
# Linux with glibc 2.28 or newer, x86_64 and aarch64. Only what uv.lock names gets in, and only with
# the hashes written there; nothing but the product itself is built from source. Beside it stand its
# sha256, what it is made of (CycloneDX), and the licences of all that.
#
# The same commit gives the same bytes, wherever it lies and whoever builds it, if Python 3.11 does
# (the builder's Python leaves traces, and so does its zlib). `make pex-twice` tries that.
set -euo pipefail
out=$(realpath -m "${1:?build_pex.sh OUT.pex}")
cd "$(dirname "$0")"
uv=${UV:-uv}
step=$PWD/tools/step
work=$PWD/build/pex
builder=$(command -v python3.11 || true)
if [ -z "$builder" ] || ! "$builder" -c '' 2>/dev/null; then
  builder=${PYTHON:-python3}
  echo "No python3.11 here: $builder builds it, so the file is good but not reproducible." >&2
fi
export UV_PROJECT_ENVIRONMENT=$PWD/.venv-pex UV_PYTHON_DOWNLOADS=never
export PEX_ROOT=$work/root SOURCE_DATE_EPOCH=315532800 # 1980-01-01, the zip format's first day
export LC_ALL=C.UTF-8 TZ=UTC
unset PYTHONPATH PYTHONHOME
umask 022
rm -rf "$work/dist"
mkdir -p "$work/dist" "$(dirname "$out")"
rm -f "$out" "$out.sha256" "${out%.pex}.cdx.json" "${out%.pex}.licenses.txt"

"$step" 'preparing pex' "$uv" sync --frozen --only-group pex --python "$builder"
"$uv" export --quiet --frozen --only-group wheel --no-header --output-file "$work/builder.txt"
"$step" 'building the wheel' "$uv" build --wheel --python "$builder" --out-dir "$work/dist" \
  --build-constraints "$work/builder.txt" --require-hashes

# uv.lock is the source; pex's own lock is made of it. --no-dev: nothing of development is shipped.
"$uv" export --quiet --frozen --no-dev --no-emit-project --no-header --output-file "$work/requirements.txt"
pythons='CPython>=3.11,<3.15'
echo "# $pythons" >>"$work/requirements.txt"
if ! cmp -s "$work/requirements.txt" "$work/locked-requirements.txt"; then
  "$step" 'locking for pex' .venv-pex/bin/pex3 lock create --style universal --no-build \
    --target-system linux --interpreter-constraint "$pythons" \
    --requirement "$work/requirements.txt" --output "$work/lock.json"
  cp "$work/requirements.txt" "$work/locked-requirements.txt"
fi

platforms=()
while read -r file; do platforms+=(--complete-platform "$file"); done \
  < <("$builder" tools/platforms.py "$work/platforms")
# sqlite-utils asks for pip, for a command that is not used. PYTHON* variables do not reach a venv
# PEX, so what they would say is baked in.
"$step" 'building the PEX' .venv-pex/bin/pex --lock "$work/lock.json" --project "$work"/dist/*.whl \
  --exclude pip --no-build "${platforms[@]}" \
  --console-script lambda-matrix --venv --sh-boot --include-tools \
  --python-shebang '/usr/bin/env python3' \
  --inject-python-args='-X faulthandler' --inject-python-args='-X utf8' \
  --no-compile --no-use-system-time --check error --output-file "$work/unchecked.pex"

.venv-pex/bin/python -m tools.check_pex "$work/unchecked.pex" "$out" "$work"/dist/*.whl "$work/lock.json"
