#!/bin/sh
# sources.sh program|test|fuzz: the C files of one kind, found by name (see meson.build).
cd "$(dirname "$0")/.." || exit 1
case $1 in
program) find src -name '*.c' ! -name '*_test.c' ! -name '*_fuzz.c' ! -path src/main.c ;;
test) find src -name '*_test.c' ;;
fuzz) find src -name '*_fuzz.c' ;;
*) echo "sources.sh: program, test or fuzz" >&2; exit 2 ;;
esac | LC_ALL=C sort
