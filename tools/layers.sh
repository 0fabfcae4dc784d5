#!/usr/bin/env bash
# tools/layers.sh: do all includes under src/ point downwards? Prints each one that does not; exit 1 if there is one.
# The table is ARCHITECTURE's map: a folder, and the folders it may include besides itself.
set -euo pipefail
cd "$(dirname "$0")/../src"

declare -A may=(
    [base]=""
    [call]="base"
    [json]="base call"
    [crypto]="base call"
    [net]="base call json crypto"
    [limits]="base call net"
    [store]="base call json crypto net"
    [providers]="base call json crypto net limits" # never store: a provider knows neither SQL nor tenants
    [audit]="base call json crypto net store providers"
    [messages]="base call json crypto net store providers audit"
    [accounts]="base call json crypto net limits store providers audit"
    [jobs]="base call json crypto net limits store providers audit messages accounts"
    [mcp]="base call json crypto net limits store providers audit messages accounts jobs"
    [oauth]="base call json crypto net limits store providers audit accounts"
    [web]="base call json crypto net limits store providers audit messages accounts jobs mcp oauth" # its table of routes names them all
    [cli]="base call json crypto net limits store providers audit messages accounts jobs mcp oauth web"
    [main]="base call json crypto net limits store providers audit messages accounts jobs mcp oauth web cli"
)

bad=0
while IFS=: read -r file line target; do
    from=${file%%/*}
    [[ $file == */* ]] || from=main # src/main.c
    to=${target%%/*}
    if [[ -z ${may[$from]+known} ]]; then
        echo "src/$file:$line: the folder $from is not in the table of tools/layers.sh"
        bad=1
    elif [[ $target != */* ]]; then
        echo "src/$file:$line: write the include from src/: \"$from/$target\""
        bad=1
    elif [[ $to != "$from" && " ${may[$from]} " != *" $to "* ]]; then
        echo "src/$file:$line: $from must not include $to ($target)"
        bad=1
    fi
done < <(find . -name '*.[ch]' -printf '%P\0' | sort -z |
    xargs -0 -r grep -HnE '^[[:space:]]*#[[:space:]]*include[[:space:]]+"' |
    sed -E 's/^([^:]*):([0-9]+):[^"]*"([^"]*)".*/\1:\2:\3/')
exit $bad
