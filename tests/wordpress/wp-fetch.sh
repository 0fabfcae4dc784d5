#!/usr/bin/env bash
# wp-fetch.sh new|old: prints the folder of that WordPress, unpacked once into the cache.
# new = 7.1.1, with its SQLite drop-in, out of the npm package wp-studio; old = 6.1 out of Debian's package wordpress.
# Both are checked: the first by the checksum below, the second by apt. No WordPress file is in this repository.
set -euo pipefail
version=${1:?new or old}
cache=${PORTEIRO_TEST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/porteiro-test}/wordpress
STUDIO=wp-studio@1.22.0
STUDIO_SHA512=boMtahkhgWDKKyNTBA1uTK5ghnAmxXhDY6KeQCO9FmcI3/o+YOSq8JwYW5ZYnxHCxH14Jf/mD6CJTBvTWl2Ytw==

mkdir -p "$cache"
exec 9>"$cache/.lock"
flock 9 # several sites may start at once

fetch_studio() {
    [[ ! -d $cache/new || ! -d $cache/sqlite ]] || return 0
    local tmp=$cache/.studio files=package/dist/cli/wp-files sum
    rm -rf "$tmp" && mkdir "$tmp"
    (cd "$tmp" && npm pack --silent "$STUDIO" >/dev/null)
    sum=$(openssl dgst -sha512 -binary "$tmp"/*.tgz | base64 -w0)
    if [[ $sum != "$STUDIO_SHA512" ]]; then
        echo "wp-fetch: $STUDIO has another checksum than expected: $sum" >&2
        return 1
    fi
    tar -xzf "$tmp"/*.tgz -C "$tmp" --no-same-owner $files/latest/wordpress $files/sqlite-database-integration
    rm -rf "$cache/new" "$cache/sqlite"
    mv "$tmp/$files/latest/wordpress" "$cache/new"
    mv "$tmp/$files/sqlite-database-integration" "$cache/sqlite"
    rm -rf "$tmp"
}

fetch_debian() {
    [[ ! -d $cache/old ]] || return 0
    local tmp=$cache/.debian package
    # Debian links parts of WordPress to these other packages' folders.
    local packages=(wordpress php-getid3 wordpress-theme-twentytwentythree libjs-underscore libjs-cropper)
    rm -rf "$tmp" && mkdir -p "$tmp/root"
    chmod 755 "$tmp"
    (
        cd "$tmp"
        apt-get download -q "${packages[@]}" || { apt-get update -q && apt-get download -q "${packages[@]}"; }
    ) >"$cache/apt.log" 2>&1 || { tail -n 20 "$cache/apt.log" >&2; return 1; }
    for package in "$tmp"/*.deb; do dpkg-deb -x "$package" "$tmp/root"; done
    rm -f "$tmp"/root/usr/share/wordpress/{.htaccess,wp-config.php}
    mkdir "$tmp/wordpress"
    # The links of the unpacked packages are absolute, or lead out of the folder: copy what they mean.
    link_into_root "$tmp/root"
    cp -aL "$tmp/root/usr/share/wordpress/." "$tmp/wordpress/"
    chmod -R u+w "$tmp/wordpress"
    # A property of 6.2 that the SQLite drop-in (made for 6.4 and newer) reads; all that it lacks in 6.1.
    # shellcheck disable=SC2016  # PHP, not shell
    sed -i 's/^class wpdb {$/&\n\tprivate $allow_unsafe_unquoted_parameters = true;/' \
        "$tmp/wordpress/wp-includes/class-wpdb.php"
    mv "$tmp/wordpress" "$cache/old"
    rm -rf "$tmp"
}

link_into_root() {
    local link target
    while IFS= read -r -d '' link; do
        target=$(readlink "$link")
        [[ $target != /* ]] || ln -sfn "$1$target" "$link"
    done < <(find "$1" -type l -print0)
    # What still leads nowhere (a theme or a font of a package not fetched) is not needed.
    find "$1" -xtype l -delete
}

case $version in
new) fetch_studio ;;
old) fetch_studio && fetch_debian ;;
*) echo "wp-fetch: what is $version?" >&2 && exit 2 ;;
esac
echo "$cache/$version"
