#!/usr/bin/env bash
# wp-up.sh PORT DIR [--wp new|old] [--posts N] [--workers N]
# A real, seeded WordPress on http://127.0.0.1:PORT, kept in DIR, with SQLite as its database and php -S as its server.
# Prints one JSON line (url, users with application passwords; also in DIR/state.json) when it answers.
# Run again: the same site is started again if it stopped. Needs the packages of WORDPRESS_PACKAGES and npm.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${PORTEIRO_TEST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/porteiro-test}/wordpress
port=${1:?port} dir=${2:?dir}
shift 2
wp=new posts=500 workers=4
while (($#)); do
    case $1 in
    --wp) wp=$2 ;;
    --posts) posts=$2 ;;
    --workers) workers=$2 ;;
    *) echo "wp-up: what is $1?" >&2 && exit 2 ;;
    esac
    shift 2
done

mkdir -p "$dir"
dir=$(cd "$dir" && pwd)
exec 8>"$dir/.lock"
flock 8
www=$dir/www

say() { echo "wp-up: $*" >&2; }
die() {
    say "$*"
    tail -n 5 "$dir/server.log" "$dir/php-error.log" >&2 2>/dev/null || true
    exit 1
}
alive() { [[ -s $dir/pid ]] && tr '\0' ' ' <"/proc/$(<"$dir/pid")/cmdline" 2>/dev/null | grep -qF -- "$www"; }
answers() { curl -sf -m 10 -o /dev/null "$url/?rest_route=/test/v1/bytes/1"; }

write_config() {
    rm -f "$www/wp-config.php" # it may be a hard link into the cache
    {
        echo "<?php"
        echo "define( 'DB_NAME', 'wordpress' );"
        local key
        for key in AUTH_KEY SECURE_AUTH_KEY LOGGED_IN_KEY NONCE_KEY AUTH_SALT SECURE_AUTH_SALT LOGGED_IN_SALT NONCE_SALT; do
            echo "define( '$key', '$(openssl rand -hex 32)' );"
        done
        cat <<'PHP'
define( 'WP_ENVIRONMENT_TYPE', 'local' );      // application passwords over plain http
define( 'WP_HTTP_BLOCK_EXTERNAL', true );      // never call out
define( 'DISABLE_WP_CRON', true );
define( 'AUTOMATIC_UPDATER_DISABLED', true );
define( 'WP_AUTO_UPDATE_CORE', false );
define( 'WP_DEBUG', false );
define( 'WP_MEMORY_LIMIT', '256M' );
define( 'FS_METHOD', 'direct' );
$table_prefix = 'wp_';
if ( ! defined( 'ABSPATH' ) ) { define( 'ABSPATH', __DIR__ . '/' ); }
require_once ABSPATH . 'wp-settings.php';
PHP
    } >"$www/wp-config.php"
}

copy_tree() { # on another file system a copy, without what the links have left
    cp -al "$1" "$2" 2>/dev/null || {
        rm -rf "$2"
        cp -a "$1" "$2"
    }
}

copy_files() { # hard links: no space, no time; nothing writes to core files
    local source=$1 plugin=$www/wp-content/plugins/sqlite-database-integration
    rm -rf "$www"
    copy_tree "$source" "$www"
    mkdir -p "$www/wp-content/"{mu-plugins,plugins,uploads,database}
    cp "$here/mu-test.php" "$www/wp-content/mu-plugins/"
    copy_tree "$cache/sqlite" "$plugin"
    rm -f "$www/wp-content/db.php"
    sed "s|{SQLITE_IMPLEMENTATION_FOLDER_PATH}|$plugin|; s|{SQLITE_PLUGIN}|sqlite-database-integration/load.php|g" \
        "$cache/sqlite/db.copy" >"$www/wp-content/db.php"
    write_config
}

# Seeding takes long, so the database and the uploads of a first seeding are kept under a name made of all that went in.
make_site() {
    local source=$1 sum golden tmp
    sum=$(cat "$here"/{wp-seed,wp-setup,mu-test}.php "$source/wp-includes/version.php" | sha256sum | cut -c1-12)
    golden=$cache/golden/$wp-$posts-$sum
    copy_files "$source"
    if [[ -d $golden ]]; then
        cp -a "$golden/database/." "$www/wp-content/database/"
        cp -a "$golden/uploads/." "$www/wp-content/uploads/"
        php8.2 "$here/wp-setup.php" "$www" "$url" --golden >"$dir/setup.json"
    else
        say "seeding $posts posts into WordPress ($wp); this is done once"
        php8.2 "$here/wp-setup.php" "$www" "$url" --posts "$posts" >"$dir/setup.json"
        mkdir -p "$cache/golden"
        tmp=$(mktemp -d "$cache/golden/.XXXXXX")
        cp -a "$www/wp-content/database" "$www/wp-content/uploads" "$tmp/"
        mv -T "$tmp" "$golden" 2>/dev/null || rm -rf "$tmp"
    fi
    printf 'url=%q port=%q wp=%q workers=%q\n' "$url" "$port" "$wp" "$workers" >"$dir/made"
}

start_server() {
    ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || die "port $port is taken"
    local ini=(-d opcache.enable=1 -d opcache.enable_cli=1 -d opcache.memory_consumption=128 -d opcache.max_accelerated_files=16000
        -d opcache.revalidate_freq=1 -d realpath_cache_size=4096K -d memory_limit=256M
        -d upload_max_filesize=64M -d post_max_size=64M -d display_errors=0 -d log_errors=1
        -d "error_log=$dir/php-error.log" -d max_execution_time=60)
    PHP_CLI_SERVER_WORKERS=$workers setsid php8.2 "${ini[@]}" -S "127.0.0.1:$port" -t "$www" "$here/router.php" \
        >"$dir/server.log" 2>&1 8>&- </dev/null &
    echo $! >"$dir/pid"
    for _ in $(seq 300); do
        ! answers || return 0
        sleep 0.05
        kill -0 "$(<"$dir/pid")" 2>/dev/null || die "the server stopped"
    done
    die "no answer from $url"
}

write_state() {
    # shellcheck disable=SC2016  # PHP, not shell
    php8.2 -r '[, $dir, $url, $pid] = $argv; $s = json_decode(file_get_contents("$dir/setup.json"), true);
        echo json_encode(["url" => $url, "rest" => "$url/wp-json/", "dir" => $dir, "pid" => (int) $pid,
            "version" => $s["version"], "posts" => $s["posts"], "users" => $s["users"]], JSON_UNESCAPED_SLASHES), "\n";' \
        -- "$dir" "$url" "$(<"$dir/pid")" >"$dir/state.tmp"
    chmod 600 "$dir/state.tmp"
    mv "$dir/state.tmp" "$dir/state.json"
}

url=http://127.0.0.1:$port
if [[ -s $dir/made ]]; then
    # Once made, a site keeps its port and its version; a later call's own are not looked at.
    # shellcheck disable=SC1091
    . "$dir/made"
else
    make_site "$("$here/wp-fetch.sh" "$wp")"
fi
alive || start_server
answers || die "no answer from $url"
write_state
cat "$dir/state.json"
