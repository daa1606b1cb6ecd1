#!/bin/sh
# Says which Debian packages the builder (`bundle`, the default) or the proof (`prove`) needs and
# this machine lacks, and ends with 1 if there are any; with --install it installs them.
#     sh deploy/bundle/packages.sh [bundle|prove] [--install]
# They are named for Debian 12 on x86-64: a later one's compiler would ask more of glibc and of
# libstdc++ than JetPack 6 has.
set -eu

needed="gcc-aarch64-linux-gnu g++-aarch64-linux-gnu git openssh-client tar"
install=no
for word; do
    case $word in
        bundle) ;;
        prove) needed="$needed debootstrap gcc libc6-dev mount util-linux" ;;
        --install) install=yes ;;
        *) echo "There is no such thing as $word: sh packages.sh [bundle|prove] [--install]" >&2; exit 2 ;;
    esac
done

# shellcheck disable=SC1091  # it is the machine's
system=$(. /etc/os-release && echo "$ID $VERSION_ID")
if [ "$system" != "debian 12" ] || [ "$(uname -m)" != x86_64 ]; then
    echo "This is $system on $(uname -m), and bundles are built on Debian 12 on x86_64." >&2
    exit 1
fi

missing=""
for package in $needed; do
    state=$(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null) || state=none
    [ "$state" = installed ] || missing="$missing $package"
done
if [ -z "$missing" ]; then
    echo "Every package is there."
elif [ "$install" = yes ]; then
    # shellcheck disable=SC2086  # a list of words
    apt-get install --yes --no-install-recommends $missing
else
    echo "These packages are missing:$missing"
    echo "Install them with: sudo sh deploy/bundle/packages.sh $* --install"
    exit 1
fi
