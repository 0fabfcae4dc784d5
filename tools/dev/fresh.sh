#!/usr/bin/env bash
# tools/dev/fresh.sh DIR [COMMIT]: does a fresh Debian 12 with only git get from a clone to a serving porteiro within five
# minutes, and in a second the next time? Makes that Debian in DIR (debootstrap, as root), clones this repository into it,
# runs ./dev run there twice, and prints the times. The machine's network is shared: LISTEN (127.0.0.1:8080) must be free.
set -euo pipefail
dir=$(realpath -m "${1:?a directory for the tree}")
commit=${2:-HEAD}
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
listen=${LISTEN:-127.0.0.1:8080}
LIMIT_FIRST_MS=300000 LIMIT_SECOND_MS=1000
pid=

now_ms() { date +%s%3N; }

cleanup() {
    stop_run
    umount -q "$dir/dev/pts" "$dir/dev" "$dir/proc" 2>/dev/null || true
}

make_tree() {
    if [[ ! -x $dir/usr/bin/git ]]; then
        echo "fresh: making Debian 12 with git in $dir"
        debootstrap --variant=minbase --include=git bookworm "$dir" >"$dir.log" 2>&1 || { tail -n 20 "$dir.log" && exit 1; }
    fi
    mount --bind /proc "$dir/proc"
    mount --bind /dev "$dir/dev"
    cp /etc/resolv.conf /etc/hosts "$dir/etc/"
    rm -rf "$dir/root/porteiro"
    git clone -q "$root" "$dir/root/porteiro"
    git -C "$dir/root/porteiro" checkout -q "$(git -C "$root" rev-parse "$commit")"
}

answers() { # /readyz, with nothing but bash
    local host=${listen%:*} port=${listen##*:} line
    exec 3<>"/dev/tcp/$host/$port" || return 1
    printf 'GET /readyz HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n' "$listen" >&3
    IFS= read -r -t 5 line <&3 || line=
    exec 3>&-
    [[ $line == *" 200 "* ]]
}

# run_until_ready LIMIT-MS: starts ./dev run in the tree; milliseconds until it answers.
run_until_ready() {
    local start
    start=$(now_ms)
    setsid chroot "$dir" env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root \
        PORTEIRO_LISTEN="$listen" bash -c 'cd /root/porteiro && exec ./dev run' >>"$dir.run.log" 2>&1 </dev/null &
    pid=$!
    until answers 2>/dev/null; do
        kill -0 "$pid" 2>/dev/null || { tail -n 30 "$dir.run.log" && echo "fresh: ./dev run ended" && exit 1; }
        (($(now_ms) - start < $1)) || { tail -n 30 "$dir.run.log" && echo "fresh: not ready within $1 ms" && exit 1; }
        sleep 0.02
    done
    took=$(($(now_ms) - start))
}

stop_run() {
    [[ -n $pid ]] || return 0
    kill -TERM -- "-$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
    pid=
}

if answers 2>/dev/null; then
    echo "fresh: something answers on $listen already"
    exit 1
fi
trap cleanup EXIT
make_tree
: >"$dir.run.log"
run_until_ready $LIMIT_FIRST_MS
echo "fresh: first ./dev run was ready after $took ms"
stop_run
run_until_ready $LIMIT_SECOND_MS
echo "fresh: second ./dev run was ready after $took ms"
