#!/usr/bin/env bash
# verb: package               a Debian package in build/package/; tried out by tools/dev/fresh.sh DIR package

need "${BUILD_PACKAGES[@]}" dpkg-dev binutils
build_release

package_version=$(build/porteiro version | grep -oE '[0-9]+(\.[0-9]+)+' | sed -n 1p)
package_arch=$(dpkg --print-architecture)
package_tree=$ROOT/build/package/tree
package_file=$ROOT/build/package/porteiro_${package_version}_$package_arch.deb
# The same commit gives the same bytes.
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export SOURCE_DATE_EPOCH

# What it links to, by the packages that bring it.
depends() {
    local dir=$ROOT/build/package/shlibs
    mkdir -p "$dir/debian"
    printf 'Source: porteiro\n\nPackage: porteiro\nArchitecture: any\n' >"$dir/debian/control"
    (cd "$dir" && dpkg-shlibdeps -O "$package_tree/usr/bin/porteiro" 2>/dev/null) | sed -n 's/^shlibs:Depends=//p'
}

put() { install -D -m "$1" "$2" "$package_tree/$3"; } # MODE FROM TO

fill_tree() {
    rm -rf "$ROOT/build/package"
    put 755 build/release/porteiro usr/bin/porteiro
    strip --strip-unneeded "$package_tree/usr/bin/porteiro"
    put 644 packaging/porteiro.service usr/lib/systemd/system/porteiro.service
    put 644 packaging/porteiro.sysusers usr/lib/sysusers.d/porteiro.conf
    put 644 packaging/porteiro.conf etc/porteiro/porteiro.conf
    put 644 LICENSE usr/share/doc/porteiro/copyright
    local paper
    for paper in README.md CHANGELOG.md SECURITY.md; do
        [[ ! -f $paper ]] || put 644 "$paper" "usr/share/doc/porteiro/$paper"
    done
    local script
    for script in postinst prerm postrm; do put 755 packaging/$script DEBIAN/$script; done
    echo /etc/porteiro/porteiro.conf >"$package_tree/DEBIAN/conffiles"
    cat >"$package_tree/DEBIAN/control" <<END
Package: porteiro
Version: $package_version
Architecture: $package_arch
Maintainer: $(git log -1 --format='%an <%ae>')
Section: web
Priority: optional
Depends: $(depends), ca-certificates, systemd | systemd-standalone-sysusers
Installed-Size: $(du -sk --exclude=DEBIAN "$package_tree" | cut -f1)
Description: AI clients operate WordPress sites through MCP
 People register, connect their WordPress sites, and get tokens; AI clients use
 a token to read and edit the site through MCP tools, and every action is in an
 audit log. Nothing has to be installed on the site.
END
}

fill_tree
find "$package_tree" -newermt "@$SOURCE_DATE_EPOCH" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
dpkg-deb --root-owner-group -Zxz --build "$package_tree" "$package_file" >/dev/null
say "${package_file#"$ROOT"/}: $(stat -c %s "$package_file") bytes, the program $(stat -c %s "$package_tree/usr/bin/porteiro")"
