#!/bin/sh
# Installs Bedside on this board from the folder that this script lies in, without a network:
#     sudo sh install.sh
# Look first with --dry-run. This script takes one program from the stick, Bedside's own wheel, and
# verifies its copy of that; the program copies the bundle to the disk, and verifies and installs
# the copy. Where Bedside runs already, the installed program takes over, with the key that it
# pinned; this script is then only another way to say `bedside update`.
set -eu
umask 022
unset CDPATH
LC_ALL=C
export LC_ALL

usage() {
    cat <<'EOF'
sudo sh install.sh [options]
  --dry-run           look whether it would work, say what would be done, and change nothing
  --fingerprint F     of the key, from the handbook (SHA256:...); asked for when not given
  --board NAME        what this board is (pi5, orin-nano), where it does not say so itself
  --offers IDS        changes that make the board more private: all, none, or ids with commas;
                      each is asked about when not given (sh units/privacy/offers.sh list)
  --no-systemd        set up no service: for a container or an emulator
  --allow-downgrade   take a bundle that is older than what runs
  --prefix DIR        treat DIR as the root of the system, for tests
  --uninstall --keep-data | --remove-data
                      take Bedside off this board, and leave or delete what it kept
EOF
}

say() { printf '%s\n' "$*"; }
fail() { # exit code, sentence
    code=$1
    shift
    printf '%s\n' "$*" >&2
    exit "$code"
}
wrong_use=2 bad_bundle=3 no_room=4

act=install root='' named='' fingerprint='' offers='' systemd=yes dry_run=no downgrade='' data=''
while [ $# -gt 0 ]; do
    case $1 in
        --dry-run) dry_run=yes ;;
        --no-systemd) systemd=no ;;
        --allow-downgrade) downgrade=--allow-downgrade ;;
        --uninstall) act=uninstall ;;
        --keep-data | --remove-data) data=$1 ;;
        --prefix | --board | --fingerprint | --offers)
            [ $# -gt 1 ] || fail $wrong_use "$1 needs a value; see: sh install.sh --help"
            case $1 in
                --prefix) root=$2 ;;
                --board) named=$2 ;;
                --fingerprint) fingerprint=$2 ;;
                --offers) offers=$2 ;;
            esac
            shift
            ;;
        -h | --help)
            usage
            exit 0
            ;;
        *) fail $wrong_use "There is no option $1; see: sh install.sh --help" ;;
    esac
    shift
done
if [ -n "$root" ]; then
    root=$(cd "$root" 2>/dev/null && pwd) || fail $wrong_use "The folder of --prefix does not exist."
    [ "$root" != / ] || root=''
fi
here=$(cd "$(dirname "$0")" && pwd)
opt=$root/opt/bedside
pinned=$root/etc/bedside/allowed_signers
signer='release@bedside namespaces="bedside-bundle"' # before the key, in a line of such a file

# The fields of manifest.json, one a line as the builder writes them. Nothing here is believed: these
# checks only spare a long copy; the verified copy is checked again.
manifest() { head -c 1048576 "$here/manifest.json"; }
field() {
    manifest | sed -n "s/^ \"$1\": \"\{0,1\}\([A-Za-z0-9._-]*\)\"\{0,1\},\{0,1\}\$/\1/p"
}
number() {
    value=$(field "$1")
    case $value in
        '' | 0?* | *[!0-9]* | ????????????????*) fail $bad_bundle "The bundle's manifest cannot be read. \
Copy the bundle to the stick again." ;;
    esac
    printf '%s' "$value"
}

find_python() {
    for name in python3 python3.13 python3.12 python3.11 python3.10; do
        tag=$("$name" -I -S -c 'import sys, venv; print("cp%d%d" % sys.version_info[:2])' \
            2>/dev/null) || continue
        if [ -f "$here/locks/$tag.txt" ]; then
            command -v "$name"
            return
        fi
    done
    fail $wrong_use "Bedside needs Python 3.10 to 3.13, and this system has none of them. \
Use Raspberry Pi OS (64-bit) or JetPack 6."
}

installed_python() { # of a release that still works: what runs now before the one before it
    for link in current previous; do
        python=$opt/$link/venv/bin/python
        if [ -x "$python" ] && "$python" -I -m app.releases --help >/dev/null 2>&1; then
            printf '%s' "$python"
            return
        fi
    done
}

check_system() {
    machine=$(uname -m)
    [ "$machine" = aarch64 ] || fail $wrong_use "The bundle is for 64-bit ARM boards (aarch64), and \
this machine is $machine."
    if command -v dpkg >/dev/null 2>&1; then userland=$(dpkg --print-architecture); else
        userland=$(getconf LONG_BIT); fi
    case $userland in
        arm64 | 64) ;;
        *) fail $wrong_use "The processor is a 64-bit one, but the system on it is not ($userland). \
Install the 64-bit system." ;;
    esac
    python=$(find_python)
    glibc=$(getconf GNU_LIBC_VERSION 2>/dev/null) || glibc=another
    needed=$(field glibc)
    has=${glibc#glibc 2.} has=${has%%.*} needs=${needed#2.}
    case $has-$needs in
        *[!0-9-]* | -* | *- | ????????*) has=0 needs=1 ;;
    esac
    [ "$has" -ge "$needs" ] || fail $wrong_use "The bundle needs glibc $needed or later, and this \
system has ${glibc#glibc }. Use a newer system."
    for tool in sha256sum ssh-keygen; do
        command -v "$tool" >/dev/null 2>&1 || fail $wrong_use "The program $tool is not here. Install \
it: sudo apt install coreutils openssh-client"
    done
}

check_processor() { # AT_HWCAP, as the kernel tells it; under emulation cpuinfo shows the host's
    hwcap=$(od -An -v -t u8 -w16 "$root/proc/self/auxv" | awk '$1 == 16 { print $2; exit }')
    [ -n "$hwcap" ] || fail $wrong_use "What the processor can do cannot be read from /proc."
    features=$(manifest | sed -n '/^ "cpu_features": \[/,/^ \]/s/^  "\([a-z0-9]*\)",\{0,1\}$/\1/p')
    for feature in $features; do
        case $feature in
            asimd) bit=1 ;;
            fphp) bit=9 ;;
            asimdhp) bit=10 ;;
            asimddp) bit=20 ;;
            *) fail $bad_bundle "The bundle needs $feature of the processor, which is not known." ;;
        esac
        [ $((hwcap >> bit & 1)) = 1 ] || fail $wrong_use "The processor lacks $feature (a Raspberry Pi \
4 does); the bundle's libraries would crash on it."
    done
}

check_board() {
    wanted=$(field board)
    model=$(tr -d '\000' 2>/dev/null <"$root/proc/device-tree/model") || model='a machine without a name'
    board=$named
    if [ -z "$board" ]; then
        case $model in
            'Raspberry Pi 5'* | *'Compute Module 5'*) board=pi5 ;;
            *'Orin Nano'*) board=orin-nano ;;
        esac
    fi
    [ "$board" = "$wanted" ] || fail $wrong_use "The bundle is for the board $wanted, and this is \
$model. Take the bundle for this board."
    if [ "$systemd" = yes ] && ! grep -q '^video:' "$root/etc/group"; then
        fail $wrong_use "This system has no group video, which may read the power sensors. Make it: \
sudo groupadd --system video"
    fi
}

check_room() {
    memory=$(sed -n 's/^MemTotal: *\([0-9]*\) kB$/\1/p' "$root/proc/meminfo")
    wanted=$(number memory_bytes)
    if [ "$((${memory:-0} * 1024))" -lt "$wanted" ]; then
        fail $no_room "The model needs a board with $((wanted / 1000000)) MB of memory, and this one \
has $((${memory:-0} / 977)). Take a bundle with a smaller model."
    fi
    folder=$root/opt
    [ -d "$folder" ] || folder=$root/
    free=$(df -Pk "$folder" | awk 'NR == 2 { print $4 }')
    wanted=$(number disk_bytes)
    [ "$((free * 1024))" -ge "$wanted" ] || fail $no_room "Bedside needs $((wanted / 1000000)) MB of \
the disk, and $((free / 977)) are free. Make room, then try again."
}

remark() { # what is odd and hinders nothing
    built=$(number source_date_epoch)
    [ "$(date +%s)" -ge "$built" ] ||
        say "Note: this board's clock is wrong ($(date +%Y-%m-%d)). Nothing here depends on it."
    [ "$board" = orin-nano ] || return 0
    release=$(sed -n 's/^# R\([0-9]*\) (release), REVISION: \([0-9.]*\),.*/\1.\2/p' \
        "$root/etc/nv_tegra_release" 2>/dev/null) || release=''
    case $release in
        '') say "Note: this system does not say its JetPack release; the GPU may not work." ;;
        36.4.7) say "Note: Jetson Linux 36.4.7 fails large allocations on the GPU. Update JetPack." ;;
        36.* | 39.*) ;;
        *) say "Note: nobody has tried Bedside with Jetson Linux $release." ;;
    esac
}

take() { # a file of the bundle to the workplace, and not more than this of it
    [ -f "$here/$1" ] || fail $bad_bundle "The bundle lacks $1. Copy its whole folder to the stick \
again."
    said=$(head -c "$2" "$here/$1" 2>&1 >"$work/$(basename "$1")") && return
    case $said in
        *'No space left'*) fail $no_room "The disk of ${work%/*} is full. Make room, then try again." ;;
        *) fail $bad_bundle "$1 could not be copied (${said##*: }). See that the stick is in its place." ;;
    esac
}

fingerprints() { # of the keys in a file of signers
    sed "s/^$signer //" "$1" | ssh-keygen -l -f - 2>/dev/null | awk '{ print $2 }'
}

check_wishes() { # of a board that has pinned a key: what was named must not be dropped unsaid
    [ -z "$fingerprint" ] || fingerprints "$pinned" | grep -qxF -e "$fingerprint" ||
        fail $bad_bundle "The key that you named is not the one that is pinned in $pinned. Ask whoever \
gave you the bundle."
    case $offers in '' | none) return ;; esac
    [ -z "$(installed_python)" ] || fail $wrong_use "An update takes no offers. Take each by itself: \
sudo sh /opt/bedside/current/units/privacy/offers.sh apply ID"
}

trust_key() { # sets `signers`: the key that this board pinned, or that a person vouches for now
    signers=$pinned
    [ ! -f "$pinned" ] || return 0
    signers=$work/allowed_signers
    take keys/allowed_signers 1000
    public=$(sed -n "\$!d;1s|^$signer \(ssh-ed25519 [A-Za-z0-9+/=]*\)\$|\1|p" "$signers")
    printf '%s %s\n' "$signer" "$public" >"$signers" # whatever else stood there is not pinned
    trusted=$(fingerprints "$signers")
    case $trusted in
        SHA256:*) ;;
        *) fail $bad_bundle "The bundle holds no key. Copy the bundle to the stick again." ;;
    esac
    say "The key of this bundle: $trusted"
    if [ -n "$fingerprint" ]; then
        [ "$fingerprint" = "$trusted" ] || fail $bad_bundle "That is not the key that you named. Do \
not use this bundle."
    elif [ -t 0 ]; then
        printf 'Is this the key in the handbook, letter for letter? Type yes: '
        read -r answer || answer=''
        [ "$answer" = yes ] || fail $bad_bundle "Nothing was changed. Ask whoever gave you the bundle."
    else
        fail $wrong_use "Nobody can be asked about the key. Give it: --fingerprint SHA256:..."
    fi
}

fetch_program() { # sets `wheel`: Bedside's own, on the disk, and as the key's owner signed it
    work=$(mktemp -d 2>/dev/null) || fail $no_room "No file can be written to ${TMPDIR:-/tmp}. See that \
its disk is writable and has room."
    trap 'rm -rf "$work"' EXIT
    trap 'exit 130' INT TERM HUP
    trust_key
    take SHA256SUMS 1048576
    take SHA256SUMS.sig 1048576
    ssh-keygen -Y verify -f "$signers" -I release@bedside -n bedside-bundle \
        -s "$work/SHA256SUMS.sig" <"$work/SHA256SUMS" >/dev/null 2>&1 || fail $bad_bundle "The bundle is \
not signed with the key that this board trusts. Do not use it."
    path=wheels/bedside-$version-py3-none-any.whl wheel=$work/${path#wheels/}
    take "$path" 268435456
    [ "$(sha256sum <"$wheel" | cut -c1-64)" = "$(sed -n "s|  $path\$||p" "$work/SHA256SUMS")" ] ||
        fail $bad_bundle "A file of the bundle is damaged ($path). Copy the bundle to the stick again."
}

releases() { # app.releases, straight out of the wheel: it needs nothing installed
    "$python" -I -S -c 'import sys; sys.path.insert(0, sys.argv.pop(1))
from app.releases.__main__ import main; sys.exit(main())' "$wheel" "$@" --prefix "${root:-/}"
}

changed_nothing() {
    say "Nothing was changed: this was a dry run."
    exit 0
}

only_root() {
    [ -n "$root" ] || [ "$(id -u)" = 0 ] || fail $wrong_use "This changes the system, which is root's \
to do: sudo sh install.sh"
}

read_version() { # and see that there is a bundle at all
    for file in manifest.json SHA256SUMS SHA256SUMS.sig; do
        [ -f "$here/$file" ] || fail $bad_bundle "The bundle lacks $file. Copy its whole folder to the \
stick, not this script alone."
    done
    version=$(field version)
    case $version in
        '' | *[!0-9abrc.]*) fail $bad_bundle "The bundle's manifest cannot be read. Copy the bundle \
again." ;;
    esac
}

if [ "$act" = uninstall ]; then
    case $data in
        --keep-data) fate=kept ;;
        --remove-data) fate=deleted ;;
        *) fail $wrong_use "Say what becomes of what Bedside kept: --keep-data or --remove-data." ;;
    esac
    [ -d "$opt" ] || fail $wrong_use "Bedside is not installed here."
    if [ "$dry_run" = yes ]; then
        say "Bedside will be taken off this board, and what it kept will be $fate."
        changed_nothing
    fi
    only_root
    python=$(installed_python)
    if [ -n "$python" ]; then
        exec "$python" -I -m app.releases uninstall "$data" --prefix "${root:-/}"
    fi
    read_version
    python=$(find_python)
    fetch_program
    releases uninstall "$data"
    exit
fi
[ -z "$data" ] || fail $wrong_use "$data is an option of --uninstall, which was not given."

read_version
check_system
check_processor
check_board
check_room
remark
say "Bedside $version for $board will be installed in $opt."
if [ -f "$pinned" ]; then
    check_wishes
    say "It must be signed with the key that is pinned in $pinned."
else
    say "Its key will be pinned in $pinned."
fi
[ "$systemd" = no ] || say "A user bedside and a service that starts with the board will be set up."
[ "$dry_run" = no ] || changed_nothing

only_root
[ "$systemd" = yes ] || set -- "$@" --no-systemd
[ -z "$downgrade" ] || set -- "$@" "$downgrade"
installed=$(installed_python)
if [ -n "$installed" ]; then
    say "Bedside is installed already: the installed program takes over."
    exec "$installed" -I -m app.releases update "$here" "$@" --prefix "${root:-/}"
fi
fetch_program
[ -z "$offers" ] || set -- "$@" --offers "$offers"
[ -z "$named" ] || set -- "$@" --board "$named"
releases install "$here" --signers "$signers" "$@"
