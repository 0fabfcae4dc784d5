#!/usr/bin/env bash
# verb: analyze               cppcheck over all sources, and gcc -fanalyzer over the security core; too slow for ./dev lint
#
# Left out, and why: cppcheck's uninit*, for it does not see that "if (!error)" guards what a function left unset (compilers,
# clang-tidy and valgrind judge that); internalAstError, a statement expression it cannot read; an argument's name that differs
# between declaration and definition; nullPointerRedundantCheck in arena.c, where the loop itself is what ends at NULL.
# -fanalyzer: gcc 12's use-of-uninitialized-value and leak warnings, for it follows neither arenas nor "ret" parameters.

need "${BUILD_PACKAGES[@]}" cppcheck
mkdir -p build/logs

analyze_cppcheck() {
    local said=build/logs/cppcheck.txt
    # shellcheck disable=SC2046  # names without spaces
    cppcheck --enable=warning,portability,performance --std=c11 -q --inline-suppr -D_GNU_SOURCE '-DPORTEIRO_VERSION="x"' -I src \
        --suppress=uninitStructMember --suppress=uninitvar --suppress=legacyUninitvar --suppress=internalAstError \
        --suppress=funcArgOrderDifferent --suppress=nullPointerRedundantCheck:src/base/arena.c \
        --template='{file}:{line}: {severity}: {id}: {message}' $(sh tools/sources.sh program) src/main.c >"$said" 2>&1 || return
    cat "$said"
    [[ ! -s $said ]]
}

analyze_gcc() {
    local file failed=0
    for file in src/crypto/*.c src/json/*.c src/net/{egress,url,http_parse,http_chunked}.c src/call/{rights,words}.c src/audit/chain.c src/oauth/*.c; do
        [[ $file != *_test.c && $file != *_fuzz.c ]] || continue
        # shellcheck disable=SC2046  # flags
        gcc -fanalyzer -Wno-analyzer-use-of-uninitialized-value -Wno-analyzer-malloc-leak -Werror -std=gnu17 -O1 -D_GNU_SOURCE \
            '-DPORTEIRO_VERSION="x"' -Isrc $(pkg-config --cflags libpq) -c -o /dev/null "$file" || failed=1
    done
    return "$failed"
}

analyze_failed=0
step "cppcheck" analyze_cppcheck || analyze_failed=1
step "gcc -fanalyzer of the core" analyze_gcc || analyze_failed=1
exit $analyze_failed
