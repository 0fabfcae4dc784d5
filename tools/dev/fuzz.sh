#!/usr/bin/env bash
# verb: fuzz [SECONDS]        each libFuzzer target for SECONDS (10) from its corpus in tests/corpus/

need "${BUILD_PACKAGES[@]}" "${FUZZ_PACKAGES[@]}"
fuzz_seconds=${1:-10}
CC=clang meson_build build/fuzz -Dfuzzing=true -Db_sanitize=address,undefined -Db_lundef=false --buildtype=debugoptimized

# src/json/json_fuzz.c is build/fuzz/json-json_fuzz and has its corpus in tests/corpus/json.
corpus_of() {
    local name=${1##*/}
    name=${name#*-}
    echo "tests/corpus/${name%_fuzz}"
}

# Sanitizers make an input some fifty times slower: eight edits that multiply a text up to its limit take 0.3 s in the release build.
# What libFuzzer finds new goes to build/fuzz-corpus/, a crash to build/fuzz-crashes/; only people commit inputs.
fuzz_one() {
    local target=$1 corpus new more=()
    corpus=$(corpus_of "$target")
    [[ $corpus != */wordpress-content-* ]] || more=(tests/content/documents) # the documents of content.test.mjs
    new=build/fuzz-corpus/${corpus##*/}
    if [[ ! -d $corpus ]]; then
        echo "$target: there is no $corpus"
        return 1
    fi
    mkdir -p "$new" build/fuzz-crashes
    "$target" -max_total_time="$fuzz_seconds" -timeout=30 -rss_limit_mb=2048 -print_final_stats=1 \
        -artifact_prefix="build/fuzz-crashes/${corpus##*/}-" "$new" "$corpus" "${more[@]}"
}

mapfile -t targets < <(git ls-files -co --exclude-standard -- 'src/*_fuzz.c' | sed 's|^src/||; s|/|-|g; s|\.c$||; s|^|build/fuzz/|')
((${#targets[@]})) || die "there is no fuzz target"
fuzz_failed=0
for target in "${targets[@]}"; do
    name=${target##*/} rc=0 start=$(now_ms)
    step "fuzzing $name for $fuzz_seconds s" fuzz_one "$target" || rc=1
    note "$rc" "fuzz: $name" $(($(now_ms) - start))
    ((rc == 0)) || fuzz_failed=1
done
exit $fuzz_failed
