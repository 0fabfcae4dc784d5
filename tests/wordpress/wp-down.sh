#!/usr/bin/env bash
# wp-down.sh DIR [--purge]: stops the site in DIR (the process group it wrote down); --purge removes DIR.
set -euo pipefail
dir=$(cd "${1:?dir}" 2>/dev/null && pwd) || exit 0

# The number may belong to another process by now.
is_ours() { tr '\0' ' ' <"/proc/$1/cmdline" 2>/dev/null | grep -qF -- "$dir/www"; }

if [[ -s $dir/pid ]]; then
    pid=$(<"$dir/pid")
    if is_ours "$pid"; then
        kill -TERM -- "-$pid" 2>/dev/null || true
        for _ in $(seq 40); do
            kill -0 -- "-$pid" 2>/dev/null || break
            sleep 0.05
        done
        kill -KILL -- "-$pid" 2>/dev/null || true
    fi
    rm -f "$dir/pid"
fi
[[ ${2:-} != --purge ]] || rm -rf "$dir"
