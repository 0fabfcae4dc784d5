#!/usr/bin/env bash
# verb: run [--demo | ARGS]   build and serve; --demo: beside a real WordPress, with a token ready to use

if [[ ${1:-} == --demo ]]; then
    # shellcheck source=tools/dev/demo.sh
    . tools/dev/demo.sh
    exit
fi
build_release
exec build/porteiro serve "$@"
