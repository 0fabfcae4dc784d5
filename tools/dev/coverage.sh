#!/usr/bin/env bash
# verb: coverage [--unit] [FILE...]  which lines and branches tests run: unit tests, fuzz corpora, integration tests (or those given); --unit: without those

need "${BUILD_PACKAGES[@]}" "${UNIT_PACKAGES[@]}" "${COVERAGE_PACKAGES[@]}"
COVERAGE_LINES_MIN=85 # per cent of all lines, with the integration tests
coverage_build=build/counts
coverage_counts=$ROOT/$coverage_build/counts
# The counters are a file that each process maps (%c) and all of one program share (%m): what a process counted is there however it
# ended, also by kill -9 or behind its sandbox, and a run that is broken off has counted what it ran. clang counts before it optimises.
LLVM_PROFILE_FILE=/dev/null CC=clang meson_build $coverage_build -Doptimization=1 \
    "-Dc_args=-fprofile-instr-generate=$coverage_counts/%m%c.profraw -fcoverage-mapping -mllvm -runtime-counter-relocation" \
    -Dc_link_args=-fprofile-instr-generate
rm -rf "$coverage_counts"
mkdir -p "$coverage_counts"

# What each fuzz target makes of its corpus, without libFuzzer.
coverage_corpora() {
    local target name libraries failed=0
    libraries=$(pkg-config --libs libevent_core libcurl libpq sqlite3 libsodium md4c libcrypto libssl libidn2 libcrypt jansson)
    while read -r target; do
        name=${target#*/} # src/json/json_fuzz.c has its corpus in tests/corpus/json, as in fuzz.sh
        name=$(tr / - <<<"${name#*/}")
        name=${name%_fuzz.c}
        # shellcheck disable=SC2086  # flags
        clang -w -std=gnu17 -D_GNU_SOURCE -Isrc -fprofile-instr-generate="$coverage_counts/%m%c.profraw" -mllvm -runtime-counter-relocation \
            -o "$coverage_build/replay-$name" "$target" tools/replay.c $coverage_build/libporteiro.a $libraries -lm -lpthread || return
        find "tests/corpus/$name" -type f -print0 | sort -z | xargs -0 "$coverage_build/replay-$name" || failed=1
    done < <(git ls-files -co --exclude-standard -- 'src/*_fuzz.c')
    return $failed
}

# Not those that judge other builds of the program (mutation, conformance) or only what a browser does with the dashboard's files.
coverage_integration() {
    local files=("$@")
    if ((${#files[@]} == 0)); then
        mapfile -t files < <(find tests -maxdepth 2 -name '*.test.mjs' ! -path 'tests/mutation/*' ! -path 'tests/conformance/*' \
            ! -path 'tests/dashboard/*' ! -name browser.test.mjs | sort)
    fi
    # A test that measures time may miss it in a program that counts; what counts here is what was run.
    PORTEIRO_BIN=$ROOT/$coverage_build/porteiro timeout -k 10 3000 \
        node tests/integration/run.mjs "${files[@]/#/$ROOT/}" || echo "coverage: some tests failed, which ./dev test judges"
}

step "coverage: unit tests" meson test -C $coverage_build --no-rebuild --num-processes 2 -t 5 ||
    warn "coverage: some unit tests failed, which ./dev test judges"
step "coverage: fuzz corpora" coverage_corpora
if [[ ${1:-} != --unit ]]; then
    need "${WORDPRESS_PACKAGES[@]}" "${TLS_PACKAGES[@]}" "${CLOCK_PACKAGES[@]}" "${SHELL_PACKAGES[@]}" postgresql-15 pgbouncer
    need_node
    npm_ci tests/integration
    npm_ci tests/conformance
    step "coverage: integration tests" coverage_integration "$@"
else
    COVERAGE_LINES_MIN=0
fi
python3 tools/coverage.py $coverage_build $COVERAGE_LINES_MIN
