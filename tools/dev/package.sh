#!/usr/bin/env bash
# verb: package [--check|--arm64]  a Debian package in build/package/, its SBOM; --check: lintian, unit, size, a second build compared; --arm64: that one

need "${BUILD_PACKAGES[@]}" dpkg-dev binutils python3
build_release
# shellcheck source=tools/dev/arm64.sh
[[ ${1:-} != --arm64 ]] || . tools/dev/arm64.sh

PACKAGE_BYTES_MAX=$((2 * 1024 * 1024))
UNIT_EXPOSURE_MAX=1.5
package_arch=$(dpkg --print-architecture)
# The same commit gives the same bytes.
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export SOURCE_DATE_EPOCH
package_maintainer=$(git log -1 --format='%an <%ae>')

needed_by() { readelf -d "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | grep -v '^ld-linux' | sort; }

# What it links to, by the packages that bring it. For arm64 those of amd64, of which Debian has the same versions: as long as
# both link to the same libraries.
depends() {
    local dir=$package_dir/shlibs
    mkdir -p "$dir/debian"
    printf 'Source: porteiro\n\nPackage: porteiro\nArchitecture: any\n' >"$dir/debian/control"
    (cd "$dir" && dpkg-shlibdeps -O "$package_native" 2>/dev/null) | sed -n 's/^shlibs:Depends=//p'
}

put() { install -D -m "$1" "$2" "$package_tree/$3"; }                                                  # MODE FROM TO
put_text() { install -D -m 644 /dev/stdin "$package_tree/$1"; }                                        # TO
put_small() { gzip -9n | install -D -m 644 /dev/stdin "$package_tree/$1"; } # TO: as .gz, without a time in it

fill_documents() {
    local doc=usr/share/doc/porteiro paper
    put 644 packaging/copyright $doc/copyright
    put_small $doc/changelog.gz <<END
porteiro ($package_version) bookworm; urgency=medium

  * See CHANGELOG.md.gz.

 -- $package_maintainer  $(date -u -R -d "@$SOURCE_DATE_EPOCH")
END
    put_small $doc/CHANGELOG.md.gz <CHANGELOG.md
    for paper in README*.md SECURITY.md THREATS.md docs/*.md; do put 644 "$paper" "$doc/$paper"; done
    "$package_native" manual | put_small usr/share/man/man1/porteiro.1.gz
    "$package_native" manual porteiro.conf | put_small usr/share/man/man5/porteiro.conf.5.gz
    "$package_native" completion bash | put_text usr/share/bash-completion/completions/porteiro
    "$package_native" completion zsh | put_text usr/share/zsh/vendor-completions/_porteiro
    "$package_native" completion fish | put_text usr/share/fish/vendor_completions.d/porteiro.fish
    packaging/sbom.py "$package_native" "$package_version" "$SOURCE_DATE_EPOCH" "$package_arch" >"$package_dir/porteiro.cdx.json"
    put 644 "$package_dir/porteiro.cdx.json" $doc/porteiro.cdx.json
}

fill_tree() {
    put 755 "$package_program" usr/bin/porteiro
    "${package_tools}strip" --strip-unneeded --remove-section=.comment --remove-section=.note "$package_tree/usr/bin/porteiro"
    put 644 packaging/porteiro.service usr/lib/systemd/system/porteiro.service
    put 644 packaging/porteiro.sysusers usr/lib/sysusers.d/porteiro.conf
    put 644 packaging/porteiro.conf etc/porteiro/porteiro.conf
    fill_documents
    local script
    for script in postinst prerm postrm; do put 755 packaging/$script DEBIAN/$script; done
    echo /etc/porteiro/porteiro.conf >"$package_tree/DEBIAN/conffiles"
    (cd "$package_tree" && find . -path ./DEBIAN -prune -o -type f -print0 | sort -z | xargs -0 md5sum | sed 's| \./| |') |
        install -D -m 644 /dev/stdin "$package_tree/DEBIAN/md5sums"
    cat >"$package_tree/DEBIAN/control" <<END
Package: porteiro
Version: $package_version
Architecture: $package_arch
Maintainer: $package_maintainer
Section: web
Priority: optional
Depends: $(depends), ca-certificates, systemd | systemd-standalone-sysusers
Recommends: uacme
Suggests: postgresql
Installed-Size: $(find "$package_tree" -path "$package_tree/DEBIAN" -prune -o -type f -printf '%k\n' | awk '{ all += $1 } END { print all }')
Description: AI clients operate WordPress sites through MCP
 People register, connect their WordPress sites, and get tokens; AI clients use
 a token to read and edit the site through MCP tools, and every action is in an
 audit log. Nothing has to be installed on the site.
END
}

# make_package DIR PROGRAM [NATIVE]: sets package_file. NATIVE: the same program for this machine, which tells its own manual.
make_package() {
    package_dir=$1 package_program=$2 package_native=${3:-$2} package_tree=$1/tree
    package_version=$("$package_native" version | grep -oE '[0-9]+(\.[0-9]+)+' | sed -n 1p)
    package_file=$package_dir/porteiro_${package_version}_$package_arch.deb
    rm -rf "$package_dir"
    fill_tree
    find "$package_tree" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
    dpkg-deb --root-owner-group -Zxz --build "$package_tree" "$package_file" >/dev/null
}

check_lintian() {
    # no-manual-page-for-... and the like are errors or warnings; a package of our own has no bug number to close.
    local said
    said=$(lintian --fail-on none --tag-display-limit 0 --suppress-tags initial-upload-closes-no-bugs "$package_file" 2>/dev/null)
    [[ -z $said ]] || { echo "$said" && return 1; }
}
check_size() { (($(stat -c %s "$package_file") <= PACKAGE_BYTES_MAX)) || { stat -c '%n: %s bytes' "$package_file" && return 1; }; }
check_unit() {
    local exposure
    exposure=$(systemd-analyze security --offline=true packaging/porteiro.service | grep -oE 'service: [0-9.]+' | grep -oE '[0-9.]+')
    echo "exposure $exposure"
    awk -v is="$exposure" -v max="$UNIT_EXPOSURE_MAX" 'BEGIN { exit !(is != "" && is <= max) }'
}
# Other sources' directory, another build directory, another depth, nothing of the first build: no cache, no object.
check_reproducible() {
    local elsewhere first=$package_file rc=0
    elsewhere=$(mktemp -d)
    git -C "$ROOT" ls-files -co --exclude-standard -z | tar -C "$ROOT" --null -T - -c | tar -x -C "$elsewhere"
    (cd "$elsewhere" && CCACHE_DISABLE=1 meson setup made/here/again -Doptimization=2 -Ddebug=false -Dtests=false &&
        CCACHE_DISABLE=1 ninja -C made/here/again porteiro) || rc=1
    ((rc)) || (make_package "$ROOT/build/package-again" "$elsewhere/made/here/again/porteiro" && cmp "$first" "$package_file") || rc=1
    rm -rf "$elsewhere"
    return "$rc"
}
check_registry() {
    python3 - "$package_version" <<'END'
import json, sys
entry = json.load(open("packaging/server.json"))
assert entry["version"] == sys.argv[1], entry["version"]
assert len(entry["description"]) <= 100, len(entry["description"])
END
}

package_tools=
if [[ ${1:-} == --arm64 ]]; then
    build_arm64
    diff <(needed_by build/release/porteiro) <(needed_by build/arm64/porteiro) || die "for arm64 it links to other libraries"
    package_arch=arm64 package_tools=aarch64-linux-gnu-
    make_package "$ROOT/build/package-arm64" "$ROOT/build/arm64/porteiro" "$ROOT/build/release/porteiro"
else
    make_package "$ROOT/build/package" "$ROOT/build/release/porteiro"
fi
say "${package_file#"$ROOT"/}: $(stat -c %s "$package_file") bytes, the program $(stat -c %s "$package_tree/usr/bin/porteiro")"
[[ ${1:-} == --check ]] || exit 0
need lintian systemd
package_failed=0
for package_check in size unit registry lintian reproducible; do
    package_start=$(now_ms) package_rc=0
    step "package: $package_check" check_$package_check || package_rc=1 package_failed=1
    note $package_rc "package: $package_check" $(($(now_ms) - package_start))
done
exit $package_failed
