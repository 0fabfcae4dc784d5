#!/usr/bin/env bash
# verb: test [PART...]        everything, or the named parts (unit lint fuzz integration); ends with "N passed, M failed"
#
# Two lanes run side by side: what computes (lint, unit tests, fuzzing) and what mostly waits (integration tests
# and conformance, on a real WordPress). Each part has its log in build/test-logs/ and notes its results in one
# file; a part that notes none has failed.

wanted=" ${*:-unit lint fuzz integration} "
TEST_LOGS=$ROOT/build/test-logs
rm -rf "$TEST_LOGS"
mkdir -p "$TEST_LOGS"
export RESULTS=$TEST_LOGS/results.tsv
: >"$RESULTS"

# Whatever ends this script early (a package that cannot be installed, a build that fails) is a failure with its name.
stage=installing
finish() {
    trap - EXIT
    local running
    mapfile -t running < <(jobs -p)
    ((${#running[@]} == 0)) || kill "${running[@]}" 2>/dev/null || true
    [[ $stage == finished ]] || note 1 "$stage" 0
    slowest
    passed=$(grep -c '^ok' "$RESULTS" || true)
    failed=$(grep -c '^fail' "$RESULTS" || true)
    grep '^fail' "$RESULTS" | cut -f2 | sed 's/^/failed: /' || true
    echo "$passed passed, $failed failed"
    exit $((failed > 0))
}
trap finish EXIT
trap 'stage="interrupted while $stage"; exit 130' INT TERM

install_everything() {
    need "${BUILD_PACKAGES[@]}" "${UNIT_PACKAGES[@]}" "${LINT_PACKAGES[@]}" "${FUZZ_PACKAGES[@]}" \
        "${WORDPRESS_PACKAGES[@]}" "${BROWSER_PACKAGES[@]}" "${TLS_PACKAGES[@]}" "${EGRESS_PACKAGES[@]}" "${CLOCK_PACKAGES[@]}" "${SHELL_PACKAGES[@]}" postgresql-15 pgbouncer
    need_node
    local lock
    for lock in tests/*/package-lock.json dashboard/package-lock.json; do
        [[ $lock == tests/lighthouse/* ]] || npm_ci "$(dirname "$lock")" # that one is for ./dev soak
    done
    # Fetched here, so that a test's time is the test's own.
    step "fetching WordPress 7.1.1" tests/wordpress/wp-fetch.sh new
    step "fetching WordPress 6.1" tests/wordpress/wp-fetch.sh old
}

build_everything() {
    build_release
    build_conformance
    [[ $wanted != " integration " ]] || return 0
    meson_build build/asan -Db_sanitize=address,undefined -Db_lundef=false
}

# part NAME TIMEOUT COMMAND...: the time is many times what it needs, so that only what hangs is ended
part() {
    [[ $wanted == *" $1 "* ]] || return 0
    local name=$1 limit=$2 log=$TEST_LOGS/$1.log own=$TEST_LOGS/$1.tsv rc=0 start passed failed
    shift 2
    start=$(now_ms)
    : >"$own"
    RESULTS=$own timeout -k 10 "$limit" "$@" >"$log" 2>&1 </dev/null || rc=$?
    if ! grep -qE '^(ok|fail)' "$own"; then
        printf 'fail\t%s: no result (exit %s)\t0\n' "$name" "$rc" >>"$own"
    elif ((rc)) && ! grep -q '^fail' "$own"; then
        printf 'fail\t%s: exit %s\t0\n' "$name" "$rc" >>"$own"
    fi
    cat "$own" >>"$RESULTS"
    passed=$(grep -c '^ok' "$own" || true)
    failed=$(grep -c '^fail' "$own" || true)
    say "$name: $passed passed, $failed failed in $(seconds $(($(now_ms) - start))) s"
    ((failed == 0)) || show_failure "$name" "$own" "$log"
}

show_failure() {
    {
        sed -n 's/^fail\t\([^\t]*\).*/  failed: \1/p' "$2"
        echo "  the end of build/test-logs/$1.log:"
        tail -n "${TEST_TAIL:-60}" "$3" | sed 's/^/  | /'
    } >&2
}

unit_tests() {
    local rc=0
    CMOCKA_MESSAGE_OUTPUT=TAP PORTEIRO_ARENA_APART=1 \
        ASAN_OPTIONS=detect_leaks=1:detect_stack_use_after_return=0 \
        UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 \
        meson test -C build/asan --no-rebuild --num-processes 2 --print-errorlogs || rc=$?
    python3 tools/dev/unit_results.py build/asan/meson-logs/testlog.json >>"$RESULTS"
    return "$rc"
}

computing_lane() {
    part unit 900 bash -c '. tools/dev/common.sh; unit_tests'
    part lint 2400 ./dev lint
    part fuzz 1200 ./dev fuzz 10
}

waiting_lane() {
    part integration 2400 node tests/integration/run.mjs
}

slowest() {
    say "the ten slowest parts:"
    grep '^time' "$RESULTS" | sort -t$'\t' -k3,3nr | sed -n 1,10p | while IFS=$'\t' read -r _ name ms; do
        printf '  %8s s  %s\n' "$(seconds "$ms")" "$name"
    done
}

progress() {
    while sleep 1; do
        ((SECONDS % 30)) || say "$SECONDS s: $(cat "$TEST_LOGS"/*.tsv | grep -c '^ok') passed so far"
    done
}

export -f unit_tests
install_everything
stage=building
build_everything
stage=testing
progress &
progress_pid=$!
computing_lane &
computing_pid=$!
waiting_lane &
wait $! "$computing_pid" || true
kill "$progress_pid"
stage=finished
exit
