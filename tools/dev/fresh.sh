#!/usr/bin/env bash
# tools/dev/fresh.sh DIR [run|test|package] [COMMIT]: does what the README promises hold on a fresh Debian 12 with only git?
#   run      from a clone to a serving porteiro within five minutes, and in a second the next time
#   test     ./dev test, from nothing
#   package  the .deb of ./dev package (of this tree) installs there, serves, and goes again
# Root only. DIR keeps base.tar (that Debian, made once by debootstrap) and tree/ (unpacked anew each time).
#
# Everything happens in a mount and process namespace of its own: what is mounted or started ends with this script,
# whatever ends it, and never outlives it as something that a copy or a removal could run into.
# The network is the machine's: LISTEN (127.0.0.1:8080) must be free.
set -euo pipefail
FREE_START_KB=$((8 * 1024 * 1024)) # to begin at all
FREE_STOP_KB=$((4 * 1024 * 1024))  # below this it ends itself
LIMIT_FIRST_MS=300000 LIMIT_SECOND_MS=1000
LIMIT_TEST_S=3600 # against hanging: there is no cache of packages, objects or findings, and all of it is made with two cores

die() {
    echo "fresh: $*" >&2
    exit 1
}

dir=$(realpath -m "${1:?a directory for the tree}")
what=${2:-run}
[[ $what =~ ^(run|test|package)$ ]] || die "what is $what?"
if (($$ != 1)); then
    ((EUID == 0)) || die "debootstrap and chroot need root"
    [[ $dir != / && $dir != "$HOME" ]] || die "not $dir"
    exec unshare --mount --propagation private --pid --fork --kill-child --mount-proc "${BASH_SOURCE[0]}" "$@"
fi
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
commit=$(git -C "$root" rev-parse "${3:-HEAD}")
listen=${LISTEN:-127.0.0.1:8080}
tree=$dir/tree
log=$dir/$what.log
pid=

now_ms() { date +%s%3N; }
free_kb() { df --output=avail -k "$dir" | tail -n 1; }
mounted_in() { grep -qF -- " $1/" /proc/self/mountinfo; }

# Never over a mount: a removal or a copy that enters a mounted /proc or /dev has no end.
remove() {
    ! mounted_in "$1" || die "something is mounted in $1"
    rm -rf --one-file-system "$1"
}

watch_space() {
    while sleep 2; do
        (($(free_kb) > FREE_STOP_KB)) || { echo "fresh: the disk is nearly full" >&2 && kill -KILL -1; }
    done
}

# Debian 12 with git alone, as a file.
make_base() {
    [[ ! -s $dir/base.tar ]] || return 0
    echo "fresh: making Debian 12 with git"
    remove "$dir/base"
    timeout 600 debootstrap --variant=minbase --include=git bookworm "$dir/base" >"$dir/base.log" 2>&1 ||
        { tail -n 20 "$dir/base.log" >&2 && die "debootstrap failed"; }
    rm -f "$dir/base/var/cache/apt/archives/"*.deb
    ! mounted_in "$dir/base" || umount -R "$dir/base/proc" "$dir/base/sys" 2>/dev/null || true
    ! mounted_in "$dir/base" || die "debootstrap left something mounted in $dir/base"
    tar --one-file-system --numeric-owner -C "$dir/base" -cf "$dir/base.tmp" .
    mv "$dir/base.tmp" "$dir/base.tar"
    remove "$dir/base"
}

# How this machine reaches the archives is the machine's own, so the tree inherits it.
inherit_network() {
    cp /etc/resolv.conf /etc/hosts "$tree/etc/"
    mkdir -p "$tree/etc/ssl/certs"
    cp -L /etc/ssl/certs/ca-certificates.crt "$tree/etc/ssl/certs/" 2>/dev/null || true
    # The package ca-certificates writes that bundle anew from what is here.
    mkdir -p "$tree/usr/local/share/ca-certificates"
    find /usr/local/share/ca-certificates -name '*.crt' -exec cp -Lt "$tree/usr/local/share/ca-certificates" {} +
    grep -lE '^Acquire::' /etc/apt/apt.conf.d/* 2>/dev/null | xargs -r cp -t "$tree/etc/apt/apt.conf.d/"
    environment=(PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root
        NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt npm_config_cafile=/etc/ssl/certs/ca-certificates.crt)
    if command -v npm >/dev/null; then
        environment+=("npm_config_registry=$(cd / && npm config get registry 2>/dev/null)")
    fi
}

make_tree() {
    remove "$tree"
    mkdir "$tree"
    tar --numeric-owner -C "$tree" -xf "$dir/base.tar"
    inherit_network
    git clone -q "$root" "$tree/root/porteiro"
    git -C "$tree/root/porteiro" checkout -q "$commit"
    # Last, when nothing is copied any more. The root of a machine is a mount, and unshare(1) wants one. The device nodes
    # themselves are debootstrap's.
    mount --bind "$tree" "$tree"
    mount -t proc proc "$tree/proc"
    mkdir -p "$tree/dev/shm" "$tree/dev/pts"
    mount -t tmpfs -o size=512m tmpfs "$tree/dev/shm"
    mount -t devpts -o newinstance,ptmxmode=0666 devpts "$tree/dev/pts"
}

inside() { chroot "$tree" env -i "${environment[@]}" "$@"; }

answers() { # /readyz, with nothing but bash
    local line
    exec 3<>"/dev/tcp/${listen%:*}/${listen##*:}" || return 1
    printf 'GET /readyz HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n' "$listen" >&3
    IFS= read -r -t 5 line <&3 || line=
    exec 3>&-
    [[ $line == *" 200 "* ]]
}

# until_ready LIMIT-MS COMMAND...: starts it in the tree; $took is the milliseconds until it answers.
until_ready() {
    local start limit=$1
    shift
    start=$(now_ms)
    # A session of its own, so that stop() reaches all of it.
    setsid chroot "$tree" env -i "${environment[@]}" "PORTEIRO_LISTEN=$listen" "$@" >>"$log" 2>&1 </dev/null &
    pid=$!
    until answers 2>/dev/null; do
        kill -0 "$pid" 2>/dev/null || { tail -n 30 "$log" >&2 && die "$* ended"; }
        (($(now_ms) - start < limit)) || { tail -n 30 "$log" >&2 && die "not ready within $limit ms"; }
        sleep 0.02
    done
    took=$(($(now_ms) - start))
}

stop() {
    kill -TERM -- "-$pid"
    wait "$pid" 2>/dev/null || true
    ! answers 2>/dev/null || die "still answers after it was stopped"
}

fresh_run() {
    ! answers 2>/dev/null || die "something answers on $listen already"
    until_ready $LIMIT_FIRST_MS bash -c 'cd /root/porteiro && exec ./dev run'
    echo "fresh: first ./dev run was ready after $took ms"
    stop
    until_ready $LIMIT_SECOND_MS bash -c 'cd /root/porteiro && exec ./dev run'
    echo "fresh: second ./dev run was ready after $took ms"
    stop
}

fresh_test() {
    local start rc=0
    start=$(now_ms)
    inside timeout -k 10 $LIMIT_TEST_S bash -c 'cd /root/porteiro && exec ./dev test' >"$log" 2>&1 </dev/null || rc=$?
    tail -n 40 "$log"
    echo "fresh: ./dev test ended with $rc after $(($(now_ms) - start)) ms"
    return "$rc"
}

fresh_package() {
    local deb
    deb=$(find "$root/build/package" -name 'porteiro_*.deb' | sort | tail -n 1)
    [[ -n $deb ]] || die "run ./dev package first"
    ! answers 2>/dev/null || die "something answers on $listen already"
    cp "$deb" "$tree/root/porteiro.deb"
    inside bash -euc 'export DEBIAN_FRONTEND=noninteractive
        apt-get -q update && apt-get -q -y install --no-install-recommends /root/porteiro.deb
        getent passwd porteiro && porteiro version
        stat -c "%U:%G %a %n" /var/lib/porteiro /etc/porteiro /etc/porteiro/porteiro.conf' >"$log" 2>&1 ||
        { tail -n 30 "$log" >&2 && die "the package does not install"; }
    # No systemd in a chroot: as the unit would start it, by hand.
    until_ready 5000 setpriv --reuid=porteiro --regid=porteiro --clear-groups env HOME=/var/lib/porteiro porteiro serve
    echo "fresh: the installed package was ready after $took ms"
    stop
    inside apt-get -q -y purge porteiro >>"$log" 2>&1 || { tail -n 30 "$log" >&2 && die "the package does not go"; }
    [[ ! -e $tree/usr/bin/porteiro && -e $tree/var/lib/porteiro ]] || die "purge must take the program and leave the data"
    echo "fresh: purged; the data stayed"
}

trap 'exit 130' INT TERM # the first process of a namespace ignores what it has no trap for
mkdir -p "$dir"
(($(free_kb) > FREE_START_KB)) || die "$dir has less than $((FREE_START_KB / 1024 / 1024)) GB free"
: >"$log"
watch_space &
make_base
make_tree
"fresh_$what"
