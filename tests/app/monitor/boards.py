"""Fake boards: folder trees and command replies with numbers of our own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from app.monitor.devices import Absent, Devices

PMIC_REPLY = """\
   1V8_SYS_A current(2)=0.20000000A
  VDD_CORE_A current(7)=4.00000000A
      HDMI_A current(22)=0.02000000A
  VDD_CORE_V volt(15)=0.80000000V
   1V8_SYS_V volt(10)=1.80000000V
      HDMI_V volt(23)=5.00000000V
     EXT5V_V volt(24)=5.05000000V
      BATT_V volt(25)=0.00000000V
"""
PMIC_WATTS = 0.2 * 1.8 + 4.0 * 0.8 + 0.02 * 5.0
"""3.66 W, by hand."""

MEMINFO = "MemTotal:        4000000 kB\nMemFree:          900000 kB\nMemAvailable:    2500000 kB\n"
STAT = "cpu  100 10 40 800 30 5 5 10 0 0\ncpu0 1 1 1 1\n"


def tree(root: Path, files: Mapping[str, str | bytes]) -> Path:
    """Write files below a root, by their paths."""
    for path, content in files.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content.encode() if isinstance(content, str) else content)
    return root


class Commands:
    """Answers commands from a table; others are not installed."""

    def __init__(self, replies: Mapping[str, str]) -> None:
        self.replies = dict(replies)
        self.asked: list[str] = []

    def __call__(self, arguments: Sequence[str]) -> bytes:
        """The reply to a command line."""
        line = " ".join(arguments)
        self.asked.append(line)
        if line not in self.replies:
            raise Absent(f"the command {arguments[0]} is not installed")
        return self.replies[line].encode()


def pi5(root: Path, throttled: str = "throttled=0x0\n", pmic: str = PMIC_REPLY) -> Devices:
    """A Raspberry Pi 5 that answers through vcgencmd."""
    tree(
        root,
        {
            "proc/device-tree/model": b"Raspberry Pi 5 Model B Rev 1.0\0",
            "proc/meminfo": MEMINFO,
            "proc/stat": STAT,
            "proc/4711/status": "Name:\tpython\nVmRSS:\t  123456 kB\n",
            "sys/class/thermal/thermal_zone0/type": "cpu-thermal\n",
            "sys/class/thermal/thermal_zone0/temp": "51800\n",
            "sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq": "1500000\n",
            "sys/devices/system/cpu/cpu1/cpufreq/scaling_cur_freq": "2400000\n",
            "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor": "ondemand\n",
        },
    )
    replies = {"vcgencmd get_throttled": throttled, "vcgencmd pmic_read_adc": pmic}
    return Devices(root, run=Commands(replies), has_program=lambda _name: False)


def bare(root: Path) -> Devices:
    """A machine without a single sensor."""
    return Devices(root, run=Commands({}), has_program=lambda _name: False)
