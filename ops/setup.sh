# Shared by the scripts beside it: what they need from the system, and how the programs are built. Sourced, not run.
# shellcheck shell=bash

root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
export MSBUILDDISABLENODEREUSE=1 DOTNET_CLI_USE_MSBUILD_SERVER=0 UseSharedCompilation=false # Compilers would outlive us.

fail() {
    printf '%s\n' "$*" >&2
    exit 1
}

# need_packages PACKAGE=TEST...: TEST is a path (a glob) or a command whose presence shows that the package is there.
need_packages() {
    local missing=() pair
    for pair in "$@"; do
        have "${pair#*=}" || missing+=("${pair%%=*}")
    done
    [ ${#missing[@]} -eq 0 ] && return
    [ "$(id -u)" -eq 0 ] || fail "Please install what is missing, then run this again:  sudo apt-get install ${missing[*]}"
    echo "Installing ${missing[*]} ..."
    local log
    log=$(mktemp)
    if ! { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
        cat "$log" >&2
        rm -f "$log"
        fail "apt-get could not install ${missing[*]}; install them by hand, then run this again"
    fi
    rm -f "$log"
}

have() {
    case $1 in
        /*) compgen -G "$1" >/dev/null ;;
        *) command -v "$1" >/dev/null ;;
    esac
}

need_dotnet() {
    have dotnet || fail "The .NET SDK 10.0.4xx is missing; see https://dotnet.microsoft.com/download"
    local version
    version=$(cd "$root" && dotnet --version 2>&1) || fail "The .NET SDK 10.0.4xx is missing; dotnet says: $version"
}

# The server starts a PostgreSQL of its own; only its programs are needed, no running service.
need_postgresql() {
    need_packages 'postgresql=/usr/lib/postgresql/*/bin/initdb'
}

is_free_port() { ! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
