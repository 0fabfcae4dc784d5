#!/usr/bin/env bash
# verb: analyze [PART...]     cppcheck, gcc -fanalyzer, valgrind, threads (TSan): too slow for ./dev lint; all, or the named parts
#
# Left out, and why: cppcheck's uninit*, for it does not see that "if (!error)" guards what a function left unset (compilers,
# clang-tidy and valgrind judge that); internalAstError, a statement expression it cannot read; an argument's name that differs
# between declaration and definition; nullPointerRedundantCheck in arena.c, where the loop itself is what ends at NULL, and ctunullpointer
# there, for nobody goes on with an arena of NULL; identicalInnerCondition in audit.c, where a pointer is returned; autoVariables in db.c, whose
# waiters leave the queue before their function ends; unknownMacro in WhatsApp's provider.c, where a macro is an argument of itself.
# -fanalyzer: gcc 12's use-of-uninitialized-value and leak warnings, for it follows neither arenas nor "ret" parameters.
#
# valgrind (memcheck, with leaks): the unit tests that run in one process without a server. Left out are those that start
# PostgreSQL, processes of their own or a sandbox, those that crash on purpose, crypto/password (argon2id takes a
# quarter of an hour there), and those of the HTTP client and server, whose tasks have stacks of their own: ASan judges
# all of these.
#
# threads: TSan over the unit tests in which threads of ours run (net/helper, the database drivers, the audit queue); it knows
# our tasks' stacks by notes in net/task.c. What is wrong inside libraries that were not built with it, it cannot see.

need "${BUILD_PACKAGES[@]}" "${UNIT_PACKAGES[@]}" cppcheck valgrind libc6-dbg postgresql-15
analyze_parts=" ${*:-cppcheck gcc valgrind threads} "
VALGRIND_TESTS='^src/(base/(base|config|csv|visible)|call/.*|crypto/(keyring|seal|sha256|token)|json/.*|limits/tries|mcp/(redact|rpc|state)|oauth/redirect|accounts/jwt|net/(client_address|egress|http_chunked|http_parse|packet|url)|providers/(registry|whatsapp/.*|wordpress/.*)|web/.*)_test[.]c$'
THREAD_TESTS='^src/(accounts/(authenticate|connections|key_rotation|sessions|users)|audit/.*|crypto/(keyring|password)|jobs/jobs|limits/.*|net/(http_client|http_pool|task)|oauth/redeem|store/(db|db_postgres|migrate))_test[.]c$'
mkdir -p build/logs

analyze_cppcheck() {
    local said=build/logs/cppcheck.txt
    # shellcheck disable=SC2046  # names without spaces
    cppcheck --enable=warning,portability,performance --std=c11 -q --inline-suppr -D_GNU_SOURCE '-DPORTEIRO_VERSION="x"' -I src \
        --suppress=uninitStructMember --suppress=uninitvar --suppress=ctuuninitvar --suppress=legacyUninitvar --suppress=internalAstError \
        --suppress=funcArgOrderDifferent --suppress=nullPointerRedundantCheck:src/base/arena.c \
        --suppress=ctunullpointer:src/base/arena.c --suppress=identicalInnerCondition:src/store/audit.c \
        --suppress=autoVariables:src/store/db.c --suppress=unknownMacro:src/providers/whatsapp/provider.c \
        --include="/usr/include/$(gcc -print-multiarch)/sys/queue.h" \
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

# unit_names PATTERN: the test programs of these sources
unit_names() { sh tools/sources.sh test | tr ' ' '\n' | grep -E "$1" | sed 's|^src/||; s|/|-|g; s|[.]c$||'; }

# one_unit PROGRAM COMMAND...: says how it went; the end of its output when it failed
one_unit() {
    local out program=$1
    shift
    if out=$("$@" "$program" 2>&1); then
        echo "ok ${program##*/}"
    else
        echo "FAILED ${program##*/}"
        tail -n 60 <<<"$out"
        return 1
    fi
}
export -f one_unit

# each_unit DIR PATTERN COMMAND...: runs the command on each program, two at a time
each_unit() {
    local dir=$1 pattern=$2
    shift 2
    unit_names "$pattern" | xargs -P 2 -I '{}' bash -c 'one_unit "$@"' each "$dir/{}" "$@"
}

analyze_valgrind() {
    meson_build build/plain &&
        each_unit build/plain "$VALGRIND_TESTS" timeout 900 valgrind -q --error-exitcode=9 --leak-check=full --show-leak-kinds=definite --errors-for-leak-kinds=definite
}

analyze_threads() {
    meson_build build/tsan -Db_sanitize=thread -Db_lundef=false &&
        TSAN_OPTIONS="exitcode=9" PORTEIRO_TEST_EDITS=20 each_unit build/tsan "$THREAD_TESTS" timeout 900 setarch -R
}

analyze_failed=0
# analyze_part NAME WHAT
analyze_part() { [[ $analyze_parts != *" $1 "* ]] || step "$2" "analyze_$1" || analyze_failed=1; }
analyze_part cppcheck "cppcheck"
analyze_part gcc "gcc -fanalyzer of the core"
analyze_part valgrind "valgrind over unit tests"
analyze_part threads "TSan over tests with threads"
exit $analyze_failed
