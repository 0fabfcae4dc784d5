#!/bin/sh
# Makes the next migration for both engines from the schema files: sh generate.sh --name=what_it_adds
set -eu
npx drizzle-kit generate --config=drizzle.config.ts "$@"
npx drizzle-kit generate --config=drizzle.sqlite.config.ts "$@"
