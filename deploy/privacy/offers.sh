#!/bin/sh
# What can be changed on a board so that it keeps less, talks to nobody and shows nothing but Bedside:
#     sudo sh offers.sh list | apply ID | undo ID | undo all
# Nothing is changed that was not asked for. What stood in a file's place before is kept below
# /etc/bedside/offers/ID and put back by `undo`; a unit that was switched off runs again afterwards.
# BEDSIDE_ROOT names a folder to treat as the root of the system, for tests and images; then nothing
# that runs is touched.
set -eu
umask 022
LC_ALL=C
export LC_ALL

ROOT=${BEDSIDE_ROOT:-}
KEPT=$ROOT/etc/bedside/offers
HERE=$(cd "$(dirname "$0")" && pwd)
TAB=$(printf '\t')

say() { printf '%s\n' "$*"; }
fail() {
    printf '%s\n' "$*" >&2
    exit 1
}
live() { [ -n "$ROOT" ] || "$@"; }
control() { systemctl ${ROOT:+--root="$ROOT"} "$@"; }
note() { printf '%s\n' "$*" >>"$KEPT/$ID/changed"; }
is_pi() { grep -aq 'Raspberry Pi' "$ROOT/proc/device-tree/model" 2>/dev/null; }
sum() { sha256sum <"$1" | cut -c1-64; }

# The offers for this board: id, a tab, and what it changes.
list() {
    if is_pi; then other=screen; else other=boot-line; fi
    every_offer | grep -v "^$other$TAB"
}
every_offer() {
    cat <<'EOF'
swap	No memory is written to a disk any more: swap files and partitions are switched off, compressed memory stays. A program that needs more memory than there is ends sooner.
core-dumps	A program that crashes writes no memory to a file, and hands it to no other program.
listeners	Services that wait for other machines are switched off: avahi, cups, rpcbind, Raspberry Pi Connect, VNC, Samba, NFS. Names like board.local and network printers stop working.
ssh	Nobody logs in over the network any more: the ssh service is switched off. Keep a keyboard for the board.
radios	Wi-Fi and Bluetooth are switched off, from the next start on by the firmware where the board can. Wireless keyboards stop working; those with a stick of their own go on.
logs	The system's log is kept in memory alone and is gone with the power. What went wrong before a restart can then no longer be looked up.
font	The first console gets a font of 16x32 dots that has every sign Bedside draws (Terminus). It is not in the bundle: the system's package console-setup has it.
consoles	The keyboard leads from Bedside to one login with a password, on Ctrl+Alt+F2, and to no other console.
keys	Ctrl+Alt+Del and the kernel's own keys (SysRq) do nothing.
boot-line	Raspberry Pi: the kernel counts memory for each service, so that Bedside's limit holds; the screen never goes dark, and shows no messages of the start.
screen	Jetson: where the console shows no picture, Bedside is drawn by an X server, which needs the packages xserver-xorg and xterm; the desktop's login is switched off.
EOF
}

# write PATH: standard input becomes the file, whole or not at all.
write() {
    old=$KEPT/$ID/files$1
    if [ ! -e "$old" ] && [ ! -e "$old.absent" ]; then
        mkdir -p "$(dirname "$old")"
        if [ -e "$ROOT$1" ]; then
            cp -p "$ROOT$1" "$old.part"
            sync
            mv "$old.part" "$old"
        else
            : >"$old.absent"
        fi
    fi
    mkdir -p "$(dirname "$ROOT$1")"
    new=$ROOT$1.bedside-new
    cat >"$new"
    note "file$TAB$1$TAB$(sum "$new")"
    sync
    mv "$new" "$ROOT$1"
    say "Changed: $1"
}

# off UNIT...: those that exist are stopped, and start no more. With stopping=no they run on until
# the next start: the login on the first console may be the one that this is typed at.
stopping=yes
off() {
    for unit; do
        state=$(control is-enabled "$unit" 2>/dev/null) || :
        case $state in enabled* | static | indirect | disabled | generated | alias) ;; *) continue ;; esac
        active=no
        if [ -z "$ROOT" ] && systemctl is-active --quiet "$unit"; then active=yes; fi
        note "unit$TAB$unit$TAB$active"
        control mask --quiet "$unit" || fail "$unit could not be switched off. Is this run as root?"
        [ $stopping = no ] || live systemctl stop "$unit"
        say "Switched off: $unit"
    done
}

# with_words FILE WORD...: the file's one line, with the words that it lacks behind it.
with_words() {
    line=$(head -n 1 "$1")
    shift
    for word; do
        case " $line " in *" $word "*) ;; *) line="$line $word" ;; esac
    done
    printf '%s\n' "$line"
}

apply_swap() {
    off dphys-swapfile.service
    if [ -e "$ROOT/etc/rpi/swap.conf" ] || [ -e "$ROOT/usr/lib/systemd/system-generators/rpi-swap-generator" ]; then
        printf '[Main]\nMechanism=zram\n' | write /etc/rpi/swap.conf.d/90-bedside.conf
        say "From the next start on."
    fi
    if grep -Eq '^[^#]+[[:space:]]swap[[:space:]]' "$ROOT/etc/fstab" 2>/dev/null; then
        sed -E 's/^([^#]+[[:space:]]swap[[:space:]].*)$/#bedside# \1/' "$ROOT/etc/fstab" | write /etc/fstab
    fi
    [ -n "$ROOT" ] || awk 'NR > 1 && $1 !~ /^\/dev\/zram/ { print $1 }' /proc/swaps |
        while read -r one; do swapoff "$one" && say "Switched off: $one"; done
}

apply_core_dumps() {
    printf 'kernel.core_pattern = |/bin/false\nfs.suid_dumpable = 0\n' | write /etc/sysctl.d/90-bedside-core.conf
    printf '* hard core 0\nroot hard core 0\n' | write /etc/security/limits.d/90-bedside-core.conf
    printf '[Coredump]\nStorage=none\nProcessSizeMax=0\n' | write /etc/systemd/coredump.conf.d/90-bedside.conf
    off apport.service systemd-coredump.socket
    live sysctl -q -p /etc/sysctl.d/90-bedside-core.conf
}

apply_listeners() {
    off avahi-daemon.socket avahi-daemon.service cups.socket cups.path cups.service \
        cups-browsed.service rpcbind.socket rpcbind.service rpi-connect.service \
        rpi-connect-wayvnc.service wayvnc.service vncserver-x11-serviced.service smbd.service \
        nmbd.service nfs-server.service
}

apply_ssh() { off ssh.socket ssh.service sshd.service sshswitch.service; }

apply_radios() {
    off bluetooth.service hciuart.service wpa_supplicant.service
    config=$ROOT/boot/firmware/config.txt
    if is_pi && [ -e "$config" ]; then
        {
            cat "$config"
            printf '\n# By Bedside: no radios.\n[all]\ndtoverlay=disable-wifi\ndtoverlay=disable-bt\n'
        } | write /boot/firmware/config.txt
    fi
    printf 'ACTION=="add", SUBSYSTEM=="rfkill", ATTR{soft}="1"\n' | write /etc/udev/rules.d/90-bedside-radios.rules
    if command -v rfkill >/dev/null; then live rfkill block all; fi
    say "By the firmware from the next start on."
}

apply_logs() {
    printf '[Journal]\nStorage=volatile\nRuntimeMaxUse=16M\nForwardToSyslog=no\n' |
        write /etc/systemd/journald.conf.d/90-bedside.conf
    live systemctl restart systemd-journald.service
}

apply_font() {
    ls "$ROOT"/usr/share/consolefonts/Uni2-Terminus32x16.psf.gz >/dev/null 2>&1 ||
        fail "The font is not here. Install the system's package console-setup, then try again."
    printf '%s\n' 'ACTIVE_CONSOLES="/dev/tty[1-6]"' 'CHARMAP="UTF-8"' 'CODESET="Uni2"' \
        'FONTFACE="Terminus"' 'FONTSIZE="16x32"' | write /etc/default/console-setup
    live setupcon --font-only --force || say "From the next start on."
}

apply_consoles() {
    printf '[Login]\nNAutoVTs=0\nReserveVT=2\n' | write /etc/systemd/logind.conf.d/90-bedside.conf
    stopping=no
    off getty@tty1.service
    say "From the next start on."
}

apply_keys() {
    printf 'kernel.sysrq = 0\n' | write /etc/sysctl.d/90-bedside-keys.conf
    off ctrl-alt-del.target
    live sysctl -q -p /etc/sysctl.d/90-bedside-keys.conf
}

apply_boot_line() {
    line=$ROOT/boot/firmware/cmdline.txt
    if ! is_pi || [ ! -e "$line" ]; then fail "This offer is for a Raspberry Pi, and this is none."; fi
    with_words "$line" consoleblank=0 vt.global_cursor_default=0 quiet loglevel=3 \
        cgroup_enable=memory | write /boot/firmware/cmdline.txt
    say "From the next start on."
}

apply_screen() {
    if is_pi; then fail "This offer is for a Jetson, and this is a Raspberry Pi."; fi
    if grep -qs 'frame buffer' "$ROOT"/sys/class/vtconsole/vtcon*/name && grep -qs . "$ROOT/proc/fb"; then
        say "The console shows a picture; nothing needs to be changed."
        return
    fi
    for program in X xterm; do
        [ -x "$ROOT/usr/bin/$program" ] ||
            fail "The console shows no picture, and $program is missing: sudo apt install xserver-xorg xterm"
    done
    form=$HERE/../x-screen.conf
    [ -e "$form" ] || form=$HERE/../jetson/x-screen.conf
    [ -e "$form" ] || fail "The X form is not in this bundle. Take the bundle for orin-nano."
    write /etc/systemd/system/bedside-kiosk.service.d/50-x-screen.conf <"$form"
    off gdm3.service gdm.service lightdm.service
    live systemctl daemon-reload
}

# What has to be told of a file that is as it was again.
settle() {
    case $ID in
        core-dumps | keys) live sysctl -q --system ;;
        logs) live systemctl restart systemd-journald.service ;;
        font) live setupcon --font-only --force || : ;;
        radios) if command -v rfkill >/dev/null; then live rfkill unblock all; fi ;;
        screen) live systemctl daemon-reload ;;
    esac
}

# undo_file PATH SUM: what stood there before stands there again, where nobody wrote another since.
undo_file() {
    old=$KEPT/$ID/files$1 new=$ROOT$1.bedside-new
    [ -e "$old" ] || old=$old.absent
    [ -e "$old" ] || return 0 # somebody settled it, as the sentence below says
    if [ -e "$ROOT$1" ] && [ "$(sum "$ROOT$1")" != "$2" ] && ! cmp -s "$old" "$ROOT$1"; then
        say "$1 was edited since and is left as it is. Take out by hand what Bedside wrote, remove \
$old (what stood there before), then undo again." >&2
        return 1
    fi
    case $old in
        *.absent) rm -f "$ROOT$1" ;;
        *) cp -p "$old" "$new" && sync && mv "$new" "$ROOT$1" ;;
    esac || return
    say "Put back: $1"
}

# undo_unit UNIT ACTIVE: it may start again, and does where it ran.
undo_unit() {
    control unmask --quiet "$1" || return
    [ "$2" = no ] || live systemctl start "$1" || return
    say "Switched on again: $1"
}

# undo: takes the offer back; what cannot be taken back stays noted and hinders nothing else.
undo() {
    rows=$KEPT/$ID/changed
    : >>"$rows" # perhaps the power went away before the first was noted
    : >"$rows.left" || return
    for wanted in file unit; do # a unit starts with its own files
        while IFS=$TAB read -r kind name detail; do
            [ "$kind" = $wanted ] || continue
            "undo_$kind" "$name" "$detail" ||
                printf '%s\t%s\t%s\n' "$kind" "$name" "$detail" >>"$rows.left" || return
        done <"$rows"
    done
    sync
    mv "$rows.left" "$rows"
    settle || return
    [ ! -s "$rows" ] || return
    rm -rf "${KEPT:?}/$ID"
    rmdir "$KEPT" 2>/dev/null || :
}

known() { every_offer | cut -f 1 | grep -qx "$1" || fail "There is no offer $1; see: sh offers.sh list"; }

case ${1:-}-$# in
    list-1) list ;;
    apply-2)
        ID=$2
        known "$ID"
        if [ -e "$KEPT/$ID/changed" ]; then undo; fi # perhaps the power went away in the middle
        mkdir -p "$KEPT/$ID" 2>/dev/null || fail "This changes the system; run it with sudo."
        trap 'rmdir "$KEPT/$ID" "$KEPT" 2>/dev/null || :' EXIT # where nothing was kept
        "apply_$(printf %s "$ID" | tr - _)"
        ;;
    undo-2)
        [ "$2" = all ] || known "$2"
        [ "$2" = all ] || [ -d "$KEPT/$2" ] || fail "The offer $2 was not taken here."
        status=0
        for folder in "$KEPT"/*/; do
            ID=$(basename "$folder")
            case $2 in all | "$ID") [ ! -d "$folder" ] || undo || status=1 ;; esac
        done
        exit $status
        ;;
    *) fail "Usage: sh offers.sh list | apply ID | undo ID | undo all" ;;
esac
