#!/usr/bin/env bash
# verb: coverage [--unit]     which lines and branches tests run: unit tests, fuzz corpora and the main integration tests; --unit: without those

need "${BUILD_PACKAGES[@]}" "${UNIT_PACKAGES[@]}"
COVERAGE_LINES_MIN=85 # per cent of all lines, with the integration tests
coverage_build=build/coverage
meson_build $coverage_build -Db_coverage=true -Doptimization=0 -Dc_args=-fprofile-update=atomic
find $coverage_build -name '*.gcda' -delete

# What each fuzz target makes of its corpus, without libFuzzer.
coverage_corpora() {
    local target name libraries failed=0
    libraries=$(pkg-config --libs libevent_core libcurl libpq sqlite3 libsodium md4c libcrypto libssl libidn2 libcrypt jansson)
    while read -r target; do
        name=$(basename "$target" _fuzz.c)
        # shellcheck disable=SC2086  # flags
        gcc -w -std=gnu17 -D_GNU_SOURCE -Isrc --coverage -o "$coverage_build/replay-$name" "$target" tools/replay.c \
            $coverage_build/libporteiro.a $libraries -lm -lpthread -dumpbase "$coverage_build/replay-$name" || return
        find "tests/corpus/$name" -type f -print0 | sort -z | xargs -0 "$coverage_build/replay-$name" || failed=1
    done < <(git ls-files -co --exclude-standard -- 'src/*_fuzz.c')
    return $failed
}

# A worker behind its sandbox may not write what was counted. Those that are killed take theirs with them.
coverage_integration() {
    local files=()
    mapfile -t files < <(for name in integration/{api,authorize,cli,delete,discover,endpoint,items,limits,lists,login,mail,metrics,misbehave,pages,prompts,resources,sites,structured,tls,undo,upload,upstream,whatsapp,wordpress,acme,alerts,approve,bulk} \
        oauth/{clients,login,refusals} trust/{audit,backup,outage,rotation} workers/{supervisor,upgrade,bus,jobs,stdio} \
        protocol/{headers,quirks} cli/{doctor,shapes,frame,completion}; do
        [[ ! -f tests/$name.test.mjs ]] || echo "$ROOT/tests/$name.test.mjs"
    done)
    # A test that measures time may miss it in a program without optimisation; what counts here is what was run.
    PORTEIRO_SANDBOX=off PORTEIRO_BIN=$ROOT/$coverage_build/porteiro timeout -k 10 3000 \
        node tests/integration/run.mjs "${files[@]}" || echo "coverage: some tests failed, which ./dev test judges"
}

step "coverage: unit tests" meson test -C $coverage_build --no-rebuild --num-processes 2 -t 5 ||
    warn "coverage: some unit tests failed, which ./dev test judges"
step "coverage: fuzz corpora" coverage_corpora
if [[ ${1:-} != --unit ]]; then
    need "${WORDPRESS_PACKAGES[@]}" "${TLS_PACKAGES[@]}" "${CLOCK_PACKAGES[@]}" postgresql-15 pgbouncer
    need_node
    npm_ci tests/integration
    npm_ci tests/conformance
    step "coverage: integration tests" coverage_integration
else
    COVERAGE_LINES_MIN=0
fi
python3 tools/coverage.py $coverage_build $COVERAGE_LINES_MIN
