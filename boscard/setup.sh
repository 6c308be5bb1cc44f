#!/bin/sh
# setup.sh ENVIRONMENT LOCK [PROJECT]: creates the environment from the lock with uv, which pip fetches into .uv, and
# installs the project into it. No sudo, no server, no account.
set -eu
cd "$(dirname "$0")/.."
uv_version=0.13.9
environment=$1 lock=$2 project=${3:-}

"$PYTHON" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' || {
    echo "Boscard needs Python 3.11 to 3.13; $PYTHON is $("$PYTHON" -V 2>&1). Try: make PYTHON=python3.12 setup" >&2
    exit 1
}
if [ ! -x .uv/bin/uv ] || [ "$(.uv/bin/uv --version | cut -d' ' -f2)" != "$uv_version" ]; then
    echo "setup: uv $uv_version"
    "$PYTHON" -m pip install --quiet --disable-pip-version-check --upgrade --target .uv "uv==$uv_version"
fi
# uv does not read pip's configuration: hand over the index it names, where it names one
if [ -z "${UV_DEFAULT_INDEX:-}" ]; then
    index=${PIP_INDEX_URL:-$("$PYTHON" -m pip config get global.index-url 2>/dev/null || true)}
    [ -n "$index" ] && export UV_DEFAULT_INDEX="$index"
fi
echo "setup: $environment from $lock (a few minutes the first time)"
[ -x "$environment/bin/python" ] || .uv/bin/uv venv --quiet --python "$PYTHON" "$environment"
export VIRTUAL_ENV="$PWD/$environment"
.uv/bin/uv pip sync --quiet --require-hashes --compile-bytecode "$lock"
[ -z "$project" ] || .uv/bin/uv pip install --quiet --no-deps --no-build-isolation --editable "$project"
