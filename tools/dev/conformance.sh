#!/usr/bin/env bash
# verb: conformance [--serve PORT] the official MCP suites against the fixtures they ask for; --serve: only the server, with a token
need "${BUILD_PACKAGES[@]}"
need_node
meson_build build/conformance -Dconformance=true -Dtests=false
npm_ci tests/integration
npm_ci tests/conformance
PORTEIRO_BIN=$ROOT/build/conformance/porteiro exec node tests/conformance/fixtures.mjs "$@"
