#!/usr/bin/env bash
# verb: soak [MINUTES]        the other pairs of WordPress and database, then fuzzing for the rest of MINUTES (60)

soak_minutes=${1:-60}
[[ $soak_minutes =~ ^[1-9][0-9]*$ ]] || die "soak: how many minutes is $soak_minutes?"
soak_end=$((SECONDS + soak_minutes * 60))
soak_failed=0

need "${BUILD_PACKAGES[@]}" "${WORDPRESS_PACKAGES[@]}" "${FUZZ_PACKAGES[@]}" postgresql-15
need_node
npm_ci tests/integration
build_release
meson_build build/asan -Db_sanitize=address,undefined -Db_lundef=false
PORTEIRO_TEST_PAIRS=other step "WordPress 7.1.1 on SQLite, 6.1 on PostgreSQL" \
    timeout -k 10 $((soak_minutes * 60)) node tests/integration/run.mjs "$ROOT"/tests/integration/*.test.mjs || soak_failed=1

mapfile -t soak_targets < <(git ls-files -- 'src/*_fuzz.c')
soak_each=$(((soak_end - SECONDS) / ${#soak_targets[@]}))
if ((soak_each > 0)); then
    ./dev fuzz "$soak_each" || soak_failed=1
fi
exit $soak_failed
