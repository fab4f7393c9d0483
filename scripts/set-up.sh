# Sourced by ./scripts/demo and ./scripts/test: a virtual environment with the locked packages, from Python alone.
# set_up [extra arguments of `uv sync`]; $root is the repository.

fail() {
    printf '%s\n' "$*" >&2
    exit 1
}

find_python() {
    for candidate in python3 python3.13 python3.12 python3.11; do
        if command -v "$candidate" >/dev/null 2>&1 &&
            "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            printf '%s\n' "$candidate"
            return
        fi
    done
    fail "Python 3.11 or newer is needed. On Debian 12 or newer: sudo apt-get install -y python3 python3-venv"
}

set_up() {
    python=$(find_python) || exit 1
    if [ ! -x "$root/.venv/bin/uv" ]; then
        "$python" -c 'import ensurepip, venv' 2>/dev/null ||
            fail "This Python cannot make virtual environments. Run: sudo apt-get install -y python3-venv"
        "$python" -m venv "$root/.venv"
        "$root/.venv/bin/pip" install --quiet --disable-pip-version-check uv
    fi
    # --inexact keeps what another of these scripts installed, uv itself too
    # compiled once here: where Python may not write beside the sources, every start would compile them all
    "$root/.venv/bin/uv" sync --quiet --frozen --inexact --compile-bytecode --project "$root" "$@"
    "$root/.venv/bin/python" -m compileall -q "$root/gateway" "$root/fsiii"
}
