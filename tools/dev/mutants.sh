#!/usr/bin/env bash
# verb: mutants [MODULE...]   20 small changes of each module of the security core, each of which its unit tests must notice
#
# Slow (some ten minutes to an hour), so not part of ./dev test. Options of tests/mutation/core.py may follow, such as --count 5.

need "${BUILD_PACKAGES[@]}" "${UNIT_PACKAGES[@]}" binutils postgresql-15
# Warnings of an optimiser that is used for nothing else are nobody's business.
meson_build build/mutants -Doptimization=1 -Ddebug=false -Dwerror=false
exec nice python3 tests/mutation/core.py "$@"
