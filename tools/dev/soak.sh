#!/usr/bin/env bash
# verb: soak [MINUTES]        the long forms of tests: other pairs, a million calls, all mutants; then fuzzing for the rest of MINUTES (60)
#
# With less than half an hour the long forms are shorter in proportion; what is not shortened takes some ten minutes all the same.

soak_minutes=${1:-60}
[[ $soak_minutes =~ ^[1-9][0-9]*$ ]] || die "soak: how many minutes is $soak_minutes?"
soak_end=$((SECONDS + soak_minutes * 60))
soak_failed=0

need "${BUILD_PACKAGES[@]}" "${UNIT_PACKAGES[@]}" "${EGRESS_PACKAGES[@]}" "${WORDPRESS_PACKAGES[@]}" "${FUZZ_PACKAGES[@]}" "${TLS_PACKAGES[@]}" "${CLOCK_PACKAGES[@]}" postgresql-15 pgbouncer
need_node
npm_ci tests/integration
npm_ci tests/conformance
build_release
build_conformance
PORTEIRO_TEST_PAIRS=other step "WordPress 7.1.1 on SQLite, 6.1 on PostgreSQL" \
    timeout -k 10 1800 node tests/integration/run.mjs "$ROOT"/tests/integration/*.test.mjs || soak_failed=1

./dev package --check || soak_failed=1
step "the package for arm64" ./dev package --arm64 || soak_failed=1
if ((EUID == 0)) && ! grep -q 127.0.0.1:8080 <(ss -Hltn 2>/dev/null); then
    need debootstrap
    step "the package in a fresh Debian" tools/dev/fresh.sh "$CACHE/fresh" package || soak_failed=1
fi

soak_share=$((soak_minutes < 30 ? soak_minutes : 30)) # thirtieths of the long forms
# soak_long WHAT FILE NAME=VALUE...: one test file in its long form.
soak_long() {
    local what=$1 file=$2
    shift 2
    step "$what" timeout -k 10 "${soak_limit_s:-1800}" env PORTEIRO_TEST_TIMEOUT_S="$((${soak_limit_s:-1800} - 100))" "$@" node tests/integration/run.mjs "$ROOT/tests/$file" || soak_failed=1
    # The test's own figures, for whoever reads the end.
    grep -E '(Lighthouse /|calls in|login timing:|login guessing:|envelopes:|kills[ ,w]|full disk:|requests over|leaks:|revocations:|slow:|scan: |packets elsewhere|cut: |silence: |: [0-9]+ passed, [0-9]+ did not)' "$LOGS/$(tr -cs 'a-zA-Z0-9\n' '-' <<<"$what").log" | cut -c1-200 || true
}
soak_long "bulk killed at 50 points" integration/bulk.test.mjs PORTEIRO_TEST_KILLS=50
soak_long "messages sent once" integration/whatsapp_once.test.mjs \
    PORTEIRO_TEST_SENDS=$((soak_share * 10000 / 30)) PORTEIRO_TEST_KILLS=$(((soak_share * 100 + 29) / 30))
soak_long "killed under writes" trust/kills.test.mjs PORTEIRO_TEST_KILLS=$((soak_share * 1000 / 30))
soak_long "disk full" trust/durable.test.mjs PORTEIRO_TEST_CYCLES=$(((soak_share * 50 + 29) / 30))
soak_long "migrations killed" database/processes.test.mjs PORTEIRO_TEST_KILLS=50
soak_long "nothing to what is not public" trust/egress.test.mjs PORTEIRO_TEST_REBINDS=$((soak_share * 10000 / 30))
soak_long "outages" trust/outage.test.mjs PORTEIRO_TEST_OUTAGES=20
soak_long "revocations" workers/bus.test.mjs PORTEIRO_TEST_REVOCATIONS=$((soak_share * 1000 / 30 / 10 * 10))
soak_long "upgrades and reloads" workers/upgrade.test.mjs PORTEIRO_TEST_UPGRADES=20 PORTEIRO_TEST_REQUESTS=$((soak_share * 500000 / 30))
soak_long "nothing written by who may read" integration/readonly.test.mjs PORTEIRO_TEST_CALLS=$((soak_share * 10000 / 30))
need slowhttptest
soak_long "slow clients" trust/slow.mjs PORTEIRO_TEST_SLOW=4000
need nmap sqlmap testssl.sh wapiti ffuf
soak_long "scanners" trust/scan.mjs
soak_leak_s=$((soak_minutes < 360 ? soak_minutes * 20 : 7200))
soak_limit_s=$((soak_leak_s + 300)) soak_long "steady load" trust/leaks.test.mjs PORTEIRO_TEST_LEAK_S="$soak_leak_s" PORTEIRO_TEST_LEAK_RPS=500
meson_build build/plain
step "the audit log edited" env PORTEIRO_TEST_EDITS=$((soak_share * 10000 / 30)) build/plain/audit-marks_test || soak_failed=1
step "180,000 data keys, killed 200 times" env PORTEIRO_TEST_KEYS=$((soak_share * 180000 / 30)) build/plain/accounts-key_rotation_test || soak_failed=1
soak_long "mutants" mutation/mutation.test.mjs PORTEIRO_MUTANTS=all
step "mutants of the security core" ./dev mutants --count $(((soak_share * 20 + 29) / 30)) || soak_failed=1
step "cppcheck, gcc -fanalyzer, valgrind, TSan" ./dev analyze || soak_failed=1
soak_long "login timing" integration/login.test.mjs PORTEIRO_LOGIN_TRIES=$((soak_share * 30))
soak_long "OAuth refreshes" oauth/races.test.mjs OAUTH_ROUNDS=200
soak_long "fuzzed envelopes" protocol/fuzz.test.mjs \
    PORTEIRO_FUZZ_ENVELOPES=$((soak_share * 10000)) PORTEIRO_FUZZ_SEED=$RANDOM
soak_long "interleaved calls" protocol/interleave.test.mjs \
    PORTEIRO_INTERLEAVED_CALLS=$((soak_share * 1000000 / 30))

need chromium
npm_ci tests/dashboard
npm_ci tests/lighthouse
soak_long "Lighthouse" lighthouse/lighthouse.mjs

mapfile -t soak_targets < <(git ls-files -- 'src/*_fuzz.c')
soak_each=$(((soak_end - SECONDS) / ${#soak_targets[@]}))
if ((soak_each > 0)); then
    ./dev fuzz "$soak_each" || soak_failed=1
fi
exit $soak_failed
