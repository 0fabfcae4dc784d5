#!/usr/bin/env bash
# For ./dev package: the program for arm64, cross-compiled with Debian's compiler against the libraries of Debian's arm64.
# They are unpacked under $CACHE/arm64, by an apt of its own: this machine's packages stay as they are.

ARM64_LIBRARIES=(libc6-dev libevent-dev libcurl4-openssl-dev libpq-dev libsqlite3-dev libsodium-dev libmd4c-dev libssl-dev
    libidn2-dev libcrypt-dev zlib1g-dev libcmocka-dev libjansson-dev)
arm64_root=$CACHE/arm64/root

arm64_apt() {
    local state=$CACHE/arm64/apt
    apt-get -q -y -o APT::Architecture=arm64 -o APT::Architectures=arm64 -o Dir::State="$state" -o Dir::State::status="$state/status" \
        -o Dir::Cache="$state" -o APT::Sandbox::User=root -o Debug::NoLocking=1 "$@"
}

arm64_libraries() {
    local mark=$CACHE/arm64/done deb
    [[ $(cat "$mark" 2>/dev/null) != "${ARM64_LIBRARIES[*]}" ]] || return 0
    rm -rf "$CACHE/arm64"
    mkdir -p "$CACHE/arm64/apt/lists/partial" "$CACHE/arm64/apt/archives/partial" "$arm64_root"
    : >"$CACHE/arm64/apt/status"
    arm64_apt update && arm64_apt install --download-only --no-install-recommends "${ARM64_LIBRARIES[@]}" || return
    for deb in "$CACHE"/arm64/apt/archives/*.deb; do dpkg-deb -x "$deb" "$arm64_root" || return; done
    # libcrypt.so and the like point to the top of a tree: of this one.
    local link
    while read -r link; do ln -sfn "$arm64_root$(readlink "$link")" "$link"; done < <(find "$arm64_root" -type l -lname '/*')
    echo "${ARM64_LIBRARIES[*]}" >"$mark"
}

# arm64_configure DIR OPTION...
arm64_configure() {
    local dir=$1
    shift
    mkdir -p build
    cat >build/arm64-root.ini <<END
[properties]
sys_root = '$arm64_root'
pkg_config_libdir = '$arm64_root/usr/lib/aarch64-linux-gnu/pkgconfig:$arm64_root/usr/share/pkgconfig'
[built-in options]
c_args = ['--sysroot=$arm64_root']
c_link_args = ['--sysroot=$arm64_root']
END
    meson_build "$dir" --cross-file packaging/arm64.ini --cross-file build/arm64-root.ini "$@"
}

build_arm64() {
    need gcc-aarch64-linux-gnu libc6-dev-arm64-cross
    step "libraries of arm64" arm64_libraries
    arm64_configure build/arm64 -Doptimization=2 -Ddebug=false -Dtests=false
}
