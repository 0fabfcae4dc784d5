#!/usr/bin/env bash
# verb: conformance [--serve PORT] the official MCP suites against the fixtures they ask for; --serve: only the server, with a token
need_node
build_conformance
npm_ci tests/integration
npm_ci tests/conformance
PORTEIRO_BIN=$ROOT/build/conformance/porteiro exec node tests/conformance/fixtures.mjs "$@"
