#!/bin/sh
# Starts the units of deploy/ under a real systemd in a container, as root on an x86 Debian 12:
#     sudo sh tests/deploy/units_in_container.sh FOLDER
# FOLDER keeps the container's system between runs. Needs debootstrap and systemd-container, a network
# the first time, and .venv with Python 3.11. No file outside FOLDER is changed; the first console of
# this machine is drawn on. It cannot show sensors, a GPU, a font, a real X server, or any time.
set -eu
cd "$(dirname "$0")/../.."
FOLDER=${1:?Name a folder for the container.}
SYSTEM=$FOLDER/system
UNITS=$SYSTEM/etc/systemd/system
PACKAGES=$PWD/.venv/lib/python3.11/site-packages
VENV=$SYSTEM/opt/bedside/releases/1/venv
failed=no

fail() { printf '%s\n' "$*" >&2; exit 1; }
[ "$(id -u)" = 0 ] || fail "Run it as root."
[ -d "$PACKAGES" ] || fail "There is no .venv with Python 3.11; run make dev with it."
for tool in debootstrap systemd-nspawn; do
    command -v "$tool" >/dev/null || fail "Install it: apt install debootstrap systemd-container"
done

make_system() {
    debootstrap --variant=minbase \
        --include=systemd,systemd-sysv,dbus,python3,libgomp1,kbd,procps,xvfb,xterm,fonts-dejavu-core,x11-utils \
        bookworm "$SYSTEM" >"$FOLDER/debootstrap.log"
    chroot "$SYSTEM" useradd --system --home-dir /var/lib/bedside --shell /usr/sbin/nologin bedside
    chroot "$SYSTEM" groupadd --force --system render
    chroot "$SYSTEM" python3 -m venv --without-pip /opt/bedside/releases/1/venv
    ln -s releases/1 "$SYSTEM/opt/bedside/current"
    printf '/opt/source\n/opt/packages\n' >"$VENV/lib/python3.11/site-packages/bedside.pth"
    printf '%s\n' '#!/opt/bedside/releases/1/venv/bin/python' 'from app.cli import main' 'main()' \
        >"$VENV/bin/bedside"
    chmod 755 "$VENV/bin/bedside"
    mkdir "$SYSTEM/opt/source" "$SYSTEM/opt/packages"
    touch "$SYSTEM/made"
}

# boot NAME: starts the container; the probe that is read from standard input runs in it.
boot() {
    cat >"$SYSTEM/probe.sh"
    printf '%s\n' '[Unit]' 'After=multi-user.target' '[Service]' 'Type=oneshot' \
        'ExecStart=/bin/sh /probe.sh' 'ExecStopPost=/bin/systemctl poweroff' \
        'StandardOutput=file:/probe.out' 'StandardError=file:/probe.out' >"$UNITS/probe.service"
    mkdir -p "$UNITS/graphical.target.wants" "$UNITS/multi-user.target.wants"
    ln -sf ../probe.service "$UNITS/graphical.target.wants/"
    ln -sf ../bedside-kiosk.service "$UNITS/multi-user.target.wants/"
    rm -f "$SYSTEM/probe.out" "$SYSTEM/etc/machine-id"
    timeout 180 systemd-nspawn --quiet --directory="$SYSTEM" --register=no --keep-unit --boot \
        --private-network --bind=/dev/tty1 --bind=/dev/vcs1 --bind-ro="$PWD:/opt/source" \
        --bind-ro="$PACKAGES:/opt/packages" >"$FOLDER/$1.log" 2>&1 </dev/null || :
    grep -v '^the end$' "$SYSTEM/probe.out" || :
    if grep -q 'DOES NOT HOLD' "$SYSTEM/probe.out"; then failed=yes; fi
    grep -qx 'the end' "$SYSTEM/probe.out" || failed=yes
    rm -rf "$UNITS"/bedside-* "$UNITS"/multi-user.target.wants/bedside-*
}

[ -e "$SYSTEM/made" ] || { mkdir -p "$FOLDER"; make_system; }

echo "== The Pi's unit"
cp deploy/pi5/bedside-kiosk.service deploy/systemd/bedside-rescue.service "$UNITS/"
mkdir "$UNITS/bedside-kiosk.service.d"
printf '[Unit]\nStartLimitBurst=2\n[Service]\nWatchdogSec=6\n' >"$UNITS/bedside-kiosk.service.d/test.conf"
boot pi5 <<'PROBE'
main() { systemctl show bedside-kiosk -p MainPID --value; }
screen() { tr -d '\0' </dev/vcs1; }
told() { if [ "$1" "$2" "$3" ]; then echo "holds: $4"; else echo "DOES NOT HOLD: $4"; fi; }
sleep 15
first=$(main)
told "$(systemctl is-active bedside-kiosk)" = active "the unit is active"
told "$(screen | grep -c 'Type your question')" -ge 1 "the chat is drawn on the first console"
told "$(screen | grep -c 'ready')" -ge 1 "the model is loaded"
engine=$(cat "/proc/$first/task/$first/children")
told "$(cat "/proc/${engine% }/oom_score_adj")" = 900 "the engine dies first"
told "$(tail -n +3 "/proc/$first/net/dev" | grep -cv ' *lo:')" = 0 "it has no network"
told "$(grep CapEff "/proc/$first/status" | tr -d '\t ')" = "CapEff:0000000000000000" "it has no capability"
kill -KILL "$engine"
sleep 3
told "$(main)" = "$first" "the screen outlives its engine"
kill -STOP "$first"
sleep 14
told "$(main)" != "$first" "a frozen screen is begun anew"
told "$(journalctl --boot --all -u bedside-kiosk | grep -c 'question')" = 0 "the journal holds nothing that was drawn"
for _ in 1 2 3; do
    last=$(main)
    [ "$last" = 0 ] || kill -KILL "$last"
    sleep 4
done
told "$(systemctl is-failed bedside-kiosk)" = failed "too many deaths end it"
told "$(screen | grep -c 'could not be started')" -ge 1 "the rescue speaks"
echo "the end"
PROBE

echo "== The Orin's unit in its X form, with Xvfb for X"
cp deploy/jetson/bedside-kiosk.service "$UNITS/"
mkdir "$UNITS/bedside-kiosk.service.d"
cp deploy/jetson/x-screen.conf "$UNITS/bedside-kiosk.service.d/50-x-screen.conf"
sed -e 's#^ExecStart=.*#ExecStart=/usr/bin/Xvfb :0 -auth /run/bedside-x/key -screen 0 1920x1080x24 -nolisten tcp -noreset#' \
    deploy/jetson/bedside-x.service >"$UNITS/bedside-x.service"
boot jetson <<'PROBE'
told() { if [ "$1" "$2" "$3" ]; then echo "holds: $4"; else echo "DOES NOT HOLD: $4"; fi; }
look() { XAUTHORITY=$1 DISPLAY=:0 xwininfo -root -tree 2>&1; }
sleep 20
told "$(systemctl is-active bedside-kiosk)" = active "the unit is active"
told "$(look /run/bedside-x/key | grep -c '"XTerm").*1920x1080+0+0')" = 1 "the terminal fills the screen"
told "$(look /dev/null | grep -c 'unable to open')" = 1 "nobody without the key looks at it"
echo "the end"
PROBE
[ $failed = no ] || fail "Something does not hold; the systems' own words are in $FOLDER."
