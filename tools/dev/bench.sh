#!/usr/bin/env bash
# verb: bench [--quick|tls|tokens] how fast and how small, beside nginx in the same run: five rounds; --quick: one, three minutes; tls: only TLS beside nginx's;
#                             tokens [new|old]: what a model pays for each of the benchmark's tasks

if [[ ${1:-} == tokens ]]; then
    need "${BUILD_PACKAGES[@]}" "${WORDPRESS_PACKAGES[@]}"
    need_node
    build_release
    npm_ci tests/integration
    exec timeout -k 10 600 node --no-warnings tests/tokens/bench.mjs "${@:2}"
fi

need "${BUILD_PACKAGES[@]}" "${WORDPRESS_PACKAGES[@]}" nginx-light wrk binutils util-linux
need_node
build_release
mkdir -p build/bench
for bench_program in load upstream; do
    gcc -O2 -Wall -Wextra -Werror -o build/bench/$bench_program tests/bench/$bench_program.c
done
ulimit -n "$(ulimit -Hn)" # 10,000 connections need as many descriptors, on both sides
exec timeout -k 10 1500 node --no-warnings tests/bench/bench.mjs "$@"
