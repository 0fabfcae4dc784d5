#!/usr/bin/env bash
# verb: lint                  compilers without warnings, format, clang-tidy, layers, scripts, lock files

need "${BUILD_PACKAGES[@]}" "${UNIT_PACKAGES[@]}" "${LINT_PACKAGES[@]}" "${FUZZ_PACKAGES[@]}"

c_files() { git ls-files -co --exclude-standard -- 'src/*.c' 'src/*.h'; }

lint_gcc() { meson_build build/asan -Db_sanitize=address,undefined -Db_lundef=false; }
lint_clang() { CC=clang meson_build build/clang; }
lint_format() {
    local wrong
    wrong=$(c_files | xargs -r clang-format --dry-run -Werror 2>&1 | sed -n 's/:[0-9]*:[0-9]*: error.*//p' | sort -u)
    # shellcheck disable=SC2086  # one line of names
    [[ -z $wrong ]] || { echo "run: clang-format -i" $wrong && return 1; }
}
lint_layers() { tools/layers.sh; }

# What clang-tidy found nothing in need not be read again: a file, with all it includes and the checks, has one name here.
TIDY_CLEAN=${XDG_CACHE_HOME:-$HOME/.cache}/porteiro-test/tidy

# The paths, from build/clang, of each source and what it includes, a source on each line; system headers are the compiler's.
tidy_inputs() {
    ninja -C build/clang -t deps | awk '
        /^[^ ]/ { if (inputs ~ /src\/.*\.c/) print inputs; inputs = ""; next }
        /^    [^\/]/ { inputs = inputs ? inputs " " $1 : $1 }
        END { if (inputs ~ /src\/.*\.c/) print inputs }'
}

# tidy_one CHECKS SOURCE INPUT...
tidy_one() {
    local checks=$1 source=${2#../../} clean
    shift
    clean=$TIDY_CLEAN/$({ echo "$TIDY_VERSION $checks $source" && cat meson.build .clang-tidy && cd build/clang && cat "$@"; } |
        sha256sum | cut -d' ' -f1)
    [[ -e $source ]] || return 0 # deleted; ninja still remembers it
    if [[ -e $clean ]]; then
        touch "$clean"
    else
        clang-tidy --quiet -p build/clang ${checks:+"--checks=$checks"} "$source" 2>/dev/null && touch "$clean"
    fi
}
export -f tidy_one

lint_tidy() {
    local rc=0 log=build/logs/clang-tidy.txt
    mkdir -p "$TIDY_CLEAN" build/logs
    find "$TIDY_CLEAN" -type f -mtime +30 -delete
    TIDY_VERSION=$(clang-tidy --version | tr -s '[:space:]' ' ')
    export TIDY_CLEAN TIDY_VERSION
    # A test may run into what it expects not to happen: it fails then, as it should.
    tidy_inputs | grep -v '_fuzz\.c ' | awk '{ checks = $1 ~ /_test\.c$/ ? "-clang-analyzer-*,-bugprone-suspicious-missing-comma" : ""
        print "tidy_one \047" checks "\047 " $0 }' |
        xargs -r -d '\n' -P "$(nproc)" -n 1 bash -c >"$log" || rc=1
    cat "$log"
    return "$rc"
}

# Every object of ours must have seen base/banned.h; ninja recorded what each one read.
lint_banned() {
    ninja -C build/clang -t deps | awk '
        function done() { if (object ~ /src_/ && !seen) { print object " never includes base/banned.h"; bad = 1 } }
        /^[^ ]/ { done(); object = $1; sub(/:$/, "", object); seen = 0 }
        /base\/banned\.h$/ { seen = 1 }
        END { done(); exit bad }'
}

lint_scripts() {
    git ls-files -co --exclude-standard -- dev .ci/run '*.sh' | xargs -r shellcheck -x
}

lint_locks() { # lock files name packages and checksums, never where one machine fetched them
    ! git ls-files -co --exclude-standard -- '*package-lock.json' | xargs -r grep -Hn '"resolved":'
}

lint_leftovers() {
    ! git grep -nIwE 'TODO|FIXME|XXX|HACK' -- src db tests dashboard ':!tests/corpus' ':!dashboard/dist'
}

# lint_one NAME: runs lint_NAME, tells, and notes it for ./dev test.
lint_one() {
    local start rc=0
    start=$(now_ms)
    "lint_$1" || rc=$?
    if ((rc == 0)); then say "lint: $1: ok"; else say "lint: $1: FAILED"; fi
    note "$rc" "lint: $1" $(($(now_ms) - start))
    ((rc == 0)) || lint_failed=1
}

lint_failed=0
for check in gcc clang format layers banned tidy scripts locks leftovers; do
    lint_one $check
done
exit $lint_failed
