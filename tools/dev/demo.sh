#!/usr/bin/env bash
# ./dev run --demo: porteiro beside a real, seeded WordPress, with a token ready to use; Ctrl-C stops all.
# Keeps its own data in build/demo, so the real ones are left alone; remove that folder to begin anew.

DEMO=$ROOT/build/demo
DEMO_USER=demo@example.test

demo_stop() {
    trap - EXIT INT TERM
    [[ -z ${server_pid:-} ]] || kill "$server_pid" 2>/dev/null || true
    tests/wordpress/wp-down.sh "$DEMO/wordpress"
    [[ -z ${server_pid:-} ]] || wait "$server_pid" 2>/dev/null || true
    say "demo: stopped"
}

# shellcheck disable=SC2016  # PHP, not shell
json() { php8.2 -r '$v = json_decode(stream_get_contents(STDIN), true); foreach (array_slice($argv, 1) as $k) $v = $v[$k]; echo $v;' -- "$@"; }

demo_wordpress() {
    step "starting WordPress" tests/wordpress/wp-up.sh "$(free_port 8180)" "$DEMO/wordpress" --posts 100
    site_url=$(json url <"$DEMO/wordpress/state.json")
}

# Account, connection and token are made once; the token is kept beside them for the next start.
demo_account() {
    [[ ! -s $DEMO/token ]] || return 0
    head -c 24 /dev/urandom | base64 >"$DEMO/password"
    build/porteiro user add --name Demo --email "$DEMO_USER" --phone +5511999990000 --password-stdin \
        <"$DEMO/password" >/dev/null
    local added
    added=$(json users editor app_password <"$DEMO/wordpress/state.json" |
        build/porteiro connection add --user "$DEMO_USER" --provider wordpress --name demo --url "$site_url" \
            --username editor --secret-stdin --rights read,draft,publish --json)
    (umask 077 && json token <<<"$added" >"$DEMO/token")
}

demo_serve() {
    build/porteiro serve >"$DEMO/porteiro.log" 2>&1 &
    server_pid=$!
    local _
    for _ in $(seq 100); do
        ! curl -sf -o /dev/null "$PORTEIRO_PUBLIC_URL/readyz" || return 0
        kill -0 "$server_pid" 2>/dev/null || { tail -n 20 "$DEMO/porteiro.log" >&2 && die "demo: porteiro stopped"; }
        sleep 0.05
    done
    die "demo: porteiro does not answer on $PORTEIRO_LISTEN"
}

demo_show() {
    local token
    token=$(<"$DEMO/token")
    node tests/integration/demo.mjs "$PORTEIRO_PUBLIC_URL/mcp" "$token"
    cat <<END

  WordPress   $site_url   (editor; admin pages: $site_url/wp-admin)
  MCP         $PORTEIRO_PUBLIC_URL/mcp
  Token       $token
  Data        $PORTEIRO_DATA_DIR
  Log         $DEMO/porteiro.log

  Connect Claude Code with:

  claude mcp add --transport http porteiro-demo $PORTEIRO_PUBLIC_URL/mcp --header "Authorization: Bearer $token"

  Ctrl-C stops everything.
END
}

need "${BUILD_PACKAGES[@]}" "${WORDPRESS_PACKAGES[@]}"
build_release
need_node
npm_ci tests/integration
mkdir -p "$DEMO/data"
chmod 700 "$DEMO" "$DEMO/data"
PORTEIRO_LISTEN=127.0.0.1:$(free_port 8090)
export PORTEIRO_LISTEN PORTEIRO_DATA_DIR=$DEMO/data PORTEIRO_EGRESS_ALLOW=127.0.0.0/8
export PORTEIRO_PUBLIC_URL=http://$PORTEIRO_LISTEN
unset DATABASE_URL PORTEIRO_DATABASE_URL_DIRECT PORTEIRO_SECRET_KEY

trap demo_stop EXIT
trap 'exit 130' INT TERM
demo_wordpress
demo_account
demo_serve
demo_show
wait "$server_pid"
