# shellcheck shell=sh
# What every finding needs: a temporary folder that goes away, pinned packages in it, and the comparison at the end.
# The script that reads this file has made the folder, $work, and writes what it saw to $work/seen.
#
# Exit codes: 0 the behaviour is as described, 1 it has changed, 2 a tool or a package is missing here.
set -eu
unset PYTHONPATH PYTHONHOME VIRTUAL_ENV PYTEST_ADDOPTS GOFLAGS 2>/dev/null || :
export LC_ALL=C NO_PROXY=127.0.0.1 no_proxy=127.0.0.1 PIP_DISABLE_PIP_VERSION_CHECK=1

work=${work:?the folder that the script makes}
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

missing() {
    echo "missing: $1" >&2
    exit 2
}

need() {
    for tool in "$@"; do
        command -v "$tool" >/dev/null 2>&1 || missing "$tool"
    done
}

# python_with ENVIRONMENT PACKAGE==VERSION...: a virtual environment in the temporary folder; its Python is $work/ENVIRONMENT/bin/python.
python_with() {
    need python3
    environment=$work/$1
    shift
    [ -d "$environment" ] || python3 -m venv "$environment" || missing "python3 with the venv module"
    "$environment/bin/pip" install --quiet --no-compile "$@" || missing "$*"
    echo "$("$environment/bin/python" --version), $*"
}

# compare <<EXPECTED: prints what the script saw, and ends with 1 where it is not what stands here.
compare() {
    cat >"$work/expected"
    echo
    cat "$work/seen"
    echo
    if diff -u "$work/expected" "$work/seen" >"$work/diff"; then
        echo "as described"
    else
        echo "the behaviour has changed (- described, + seen):" >&2
        cat "$work/diff" >&2
        exit 1
    fi
}
