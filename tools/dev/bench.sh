#!/usr/bin/env bash
# verb: bench [--quick]       how fast and how small, beside nginx in the same run: five rounds; --quick: one, three minutes

need "${BUILD_PACKAGES[@]}" "${WORDPRESS_PACKAGES[@]}" nginx-light binutils util-linux
need_node
build_release
mkdir -p build/bench
for bench_program in load upstream; do
    gcc -O2 -Wall -Wextra -Werror -o build/bench/$bench_program tests/bench/$bench_program.c
done
ulimit -n "$(ulimit -Hn)" # 10,000 connections need as many descriptors, on both sides
exec timeout -k 10 1200 node --no-warnings tests/bench/bench.mjs "$@"
