#!/usr/bin/env bash
# What the verbs of ./dev share: messages, steps with progress, packages, the release build, Node.
# Sourced by ./dev, with ROOT set and the working directory there.

# A fresh Debian has no locale; meson, initdb and tar want to know one.
export LC_ALL=C.UTF-8 LANG=C.UTF-8
export HOME=${HOME:-/root}

# Downloads that tests and the demo need are kept here, outside the tree.
CACHE=${PORTEIRO_TEST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/porteiro-test}
export PORTEIRO_TEST_CACHE=$CACHE

# A tree that another user cloned (a container's volume, CI) is still the tree we were asked to work in.
export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=safe.directory GIT_CONFIG_VALUE_0=$ROOT
LOGS=$ROOT/build/logs

# shellcheck disable=SC2034  # the verbs use these lists
{
    BUILD_PACKAGES=(gcc libc6-dev meson ninja-build pkg-config libevent-dev libcurl4-openssl-dev libpq-dev
        libsqlite3-dev libsodium-dev libmd4c-dev libssl-dev libidn2-dev libcrypt-dev zlib1g-dev)
    WORDPRESS_PACKAGES=(php8.2-cli php8.2-sqlite3 php8.2-xml php8.2-mbstring php8.2-curl php8.2-gd php8.2-zip
        openssl curl)
    TLS_PACKAGES=(openssl uacme pebble)
    EGRESS_PACKAGES=(iproute2 python3) # tests/trust/egress: a network namespace, and what is sent in it
    CLOCK_PACKAGES=(libfaketime)
    BROWSER_PACKAGES=(chromium)
    LINT_PACKAGES=(clang clang-format clang-tidy shellcheck)
    FUZZ_PACKAGES=(clang libclang-rt-14-dev libjansson-dev)
    COVERAGE_PACKAGES=(clang llvm libclang-rt-14-dev libjansson-dev) # counters, and what reads them
    SHELL_PACKAGES=(zsh fish mandoc) # tests/cli: completions and manual pages
    UNIT_PACKAGES=(libcmocka-dev libjansson-dev)
}

say() { echo "dev: $*"; }
warn() { echo "dev: $*" >&2; }
die() {
    warn "$*"
    exit 1
}

now_ms() { date +%s%3N; }
seconds() { printf '%d.%01d' $(($1 / 1000)) $(($1 % 1000 / 100)); } # of milliseconds

# While a long step runs: its last line of output on a terminal, a sign of life every 20 s elsewhere.
# Runs as a background job; $1 what, $2 log.
ticker() {
    local start=$SECONDS line
    while sleep 1; do
        if [[ -t 1 ]]; then
            line=$(tail -c 300 "$2" 2>/dev/null | tr '\r' '\n' | grep -a . | tail -n 1 | tr -cd '[:print:]')
            printf '\r\033[K%s (%d s) %.60s' "$1" $((SECONDS - start)) "$line"
        elif (((SECONDS - start) % 20 == 0)); then
            echo "    ... $((SECONDS - start)) s"
        fi
    done
}

# step WHAT COMMAND...: runs it with its output in build/logs; says how long it took; on failure shows the end.
step() {
    local what=$1 log start rc=0 tick
    shift
    mkdir -p "$LOGS"
    log=$LOGS/$(tr -cs 'a-zA-Z0-9\n' '-' <<<"$what").log
    start=$(now_ms)
    [[ -t 1 ]] || say "$what"
    : >"$log"
    ticker "dev: $what" "$log" &
    tick=$!
    "$@" >"$log" 2>&1 </dev/null || rc=$?
    kill "$tick" 2>/dev/null || true
    wait "$tick" 2>/dev/null || true
    [[ ! -t 1 ]] || printf '\r\033[K'
    if ((rc)); then
        warn "$what: failed (exit $rc); the end of $log:"
        tail -n 40 "$log" >&2
        return "$rc"
    fi
    say "$what: done in $(seconds $(($(now_ms) - start))) s"
}

as_root() {
    if ((EUID == 0)); then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        die "packages must be installed, so be root or install sudo: apt-get install $*"
    fi
}

# The named packages that are not installed.
lacking() {
    local installed
    installed=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "$@" 2>/dev/null | sed -n 's/^installed //p' || true)
    comm -23 <(printf '%s\n' "$@" | sort -u) <(sort -u <<<"$installed")
}

apt_install() {
    local apt=(env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300)
    local install=("${apt[@]}" install --no-install-recommends "$@")
    as_root "${install[@]}" || { as_root "${apt[@]}" update && as_root "${install[@]}"; }
}

# need PACKAGE...: installs those that are missing. No service is started: policy-rc.d forbids it meanwhile.
need() {
    local missing policy=/usr/sbin/policy-rc.d made=
    mapfile -t missing < <(lacking "$@")
    ((${#missing[@]})) || return 0
    if ((EUID != 0)); then as_root true; fi # sudo may ask for its password, so before the progress line
    if [[ ! -e $policy ]]; then
        made=1
        printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
        as_root chmod 755 "$policy"
    fi
    local rc=0
    step "installing ${#missing[@]} packages (${missing[*]:0:4} ...)" apt_install "${missing[@]}" || rc=$?
    [[ -z $made ]] || as_root rm -f "$policy"
    return "$rc"
}

# meson_build DIR [SETUP-OPTION...]: configures once and whenever a source came or went (meson looks for them only then),
# then builds what changed.
meson_build() {
    local dir=$1 sources again=()
    shift
    sources=$(for kind in program test fuzz; do sh tools/sources.sh $kind; done)
    if [[ ! -f $dir/build.ninja || $sources != "$(cat "$dir/sources.txt" 2>/dev/null)" ]]; then
        [[ ! -f $dir/build.ninja ]] || again=(--reconfigure)
        step "configuring $dir" meson setup "${again[@]}" "$dir" "$@" || return
        echo "$sources" >"$dir/sources.txt"
    fi
    # Asking ninja whether there is work at all keeps a second run quiet.
    if [[ $(ninja -C "$dir" -n 2>&1 | tail -n 1) != *"no work to do"* ]]; then
        step "building $dir" ninja -C "$dir"
    fi
}

build_release() {
    need "${BUILD_PACKAGES[@]}"
    # -O2 as in everyone's default build, so that nobody meets warnings (and gcc 12's wrong ones) for the first time here.
    meson_build build/release -Doptimization=2 -Ddebug=false -Dtests=false
    ln -sfn release/porteiro build/porteiro
}

# The release with the conformance suite's provider: the same options, so that a test can compare the objects.
build_conformance() {
    need "${BUILD_PACKAGES[@]}"
    meson_build build/conformance -Doptimization=2 -Ddebug=false -Dtests=false -Dconformance=true
}

# Node 22 from its npm package: Debian's own is older than the conformance suite needs. Sets PATH.
need_node() {
    local major bin=$CACHE/node22/node_modules/node/bin
    major=$(node -p 'process.versions.node.split(".")[0]' 2>/dev/null || echo 0)
    ((major < 22)) || return 0
    if [[ ! -x $bin/node ]]; then
        command -v npm >/dev/null || need npm
        mkdir -p "$CACHE/node22"
        echo '{"private":true}' >"$CACHE/node22/package.json"
        step "fetching Node 22" npm install --prefix "$CACHE/node22" --no-audit --no-fund node@22
        # A newer npm may have been told not to run install scripts; this one fetches the binary.
        [[ -x $bin/node ]] || (cd "$CACHE/node22/node_modules/node" && node installArchSpecificPackage.js)
    fi
    export PATH=$bin:$PATH
}

# npm_ci DIR: the locked packages of DIR, once per lock file.
npm_ci() {
    local mark=$1/node_modules/.lock-sum sum
    sum=$(sha256sum <"$1/package-lock.json")
    [[ ! -f $mark || $(<"$mark") != "$sum" ]] || return 0
    command -v npm >/dev/null || need npm
    step "npm ci in $1" npm ci --prefix "$1" --no-audit --no-fund
    echo "$sum" >"$mark"
}

# The first port from $1 on where nothing listens on 127.0.0.1.
free_port() {
    local port=$1
    while (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do port=$((port + 1)); done
    echo "$port"
}

# note RC NAME MS: one result and its time in the file that ./dev test counts (RESULTS); nothing without it.
note() {
    [[ -n ${RESULTS:-} ]] || return 0
    local kind=ok
    [[ $1 == 0 ]] || kind=fail
    printf '%s\t%s\t%s\n' $kind "$2" "$3" time "$2" "$3" >>"$RESULTS"
}
