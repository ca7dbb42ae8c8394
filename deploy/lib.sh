# Shell functions that the scripts in this folder and the benchmarks share. To be sourced by bash; expects `set -euo pipefail`.

# The system's own Python: the one that sees Debian's python3-pil.
readonly system_python=/usr/bin/python3

# What it takes to build Jobmill, as Debian 12 and Ubuntu name it.
readonly build_packages=(
    g++ pkg-config libmicrohttpd-dev libcurl4-openssl-dev libsqlite3-dev libvips-dev rapidjson-dev
)

# The oldest compiler that understands Package.swift.
readonly oldest_swift=6.2

say() { printf '\n== %s\n' "$*"; }

die() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

need_swift() {
    local version
    command -v swift >/dev/null || die "there is no Swift toolchain: install Swift $oldest_swift or newer from" \
        "https://www.swift.org/install/linux and put its usr/bin folder into PATH"
    version=$(swift --version 2>/dev/null | sed -nE 's/.*Swift version ([0-9]+(\.[0-9]+)*).*/\1/p' | head -n 1)
    [ -n "$version" ] || die "'swift --version' fails: the Swift toolchain lacks something, run the command to see what"
    [ "$(printf '%s\n' "$oldest_swift" "$version" | sort -V | head -n 1)" = "$oldest_swift" ] ||
        die "Swift $version is too old: install $oldest_swift or newer from https://www.swift.org/install/linux"
}

# need_packages NAME...: installs those that are missing with apt-get; does nothing, and needs no root, if none is.
need_packages() {
    local missing=() package as_root=()
    command -v dpkg-query >/dev/null && command -v apt-get >/dev/null ||
        die "this script installs packages with apt-get, which this system lacks: install what Debian calls $* by hand"
    for package in "$@"; do
        [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null || true)" = installed ] || missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    say "Installing ${missing[*]}"
    if [ "$(id -u)" -ne 0 ]; then
        as_root=(sudo)
        [ -t 0 ] || as_root+=(-n) # nobody is there to type a password
        command -v sudo >/dev/null && "${as_root[@]}" true ||
            die "root is needed to install packages; run this as root, then start again: apt-get install ${missing[*]}"
    fi
    local apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=120)
    "${apt[@]}" update && "${apt[@]}" install -y --no-install-recommends "${missing[@]}" ||
        die "apt-get could not install ${missing[*]}; its messages are above"
}

# wait_until SECONDS COMMAND...: repeats the command until it succeeds; fails when the time is over.
wait_until() {
    local deadline=$((SECONDS + $1))
    shift
    until "$@"; do
        [ "$SECONDS" -lt "$deadline" ] || return 1
        sleep 0.05
    done
}

# stop_process PID: asks with SIGTERM, insists with SIGKILL after 15 s; only for children of this shell.
stop_process() {
    kill -TERM "$1" 2>/dev/null || return 0
    wait_until 15 process_is_gone "$1" || kill -KILL "$1" 2>/dev/null || true
    wait "$1" 2>/dev/null || true
}

process_is_gone() {
    local state
    # A zombie has ended; it only waits for its parent to ask how.
    state=$(sed -E 's/^.*\) (.).*/\1/' "/proc/$1/stat" 2>/dev/null) || return 0
    [ "$state" = Z ]
}
