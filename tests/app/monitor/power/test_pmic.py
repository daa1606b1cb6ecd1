"""The Raspberry Pi's power chip: pairing by name, whole replies only, errors in plain text."""

from __future__ import annotations

import contextlib
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.monitor.devices import Absent, Devices, Unavailable
from app.monitor.firmware import mailbox_reply, mailbox_request
from app.monitor.power import pmic
from tests.app.monitor.boards import PMIC_REPLY, PMIC_WATTS, Commands, pi5, tree


def test_the_rails_are_paired_by_name_and_summed() -> None:
    power = pmic.power_of(pmic.parse(PMIC_REPLY))
    assert power.watts == pytest.approx(PMIC_WATTS)
    assert power.supply_v == pytest.approx(5.05)
    assert power.rails["VDD_CORE"] == pytest.approx(3.2)
    assert set(power.rails) == {"1V8_SYS", "VDD_CORE", "HDMI"}


def test_the_order_of_the_lines_does_not_matter() -> None:
    backwards = "\n".join(reversed(PMIC_REPLY.splitlines()))
    assert pmic.power_of(pmic.parse(backwards)).watts == pytest.approx(PMIC_WATTS)


def test_a_rail_at_zero_amperes_is_a_real_zero() -> None:
    reply = PMIC_REPLY.replace("current(22)=0.02000000A", "current(22)=0.00000000A")
    assert pmic.power_of(pmic.parse(reply)).rails["HDMI"] == 0


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda text: "", "incomplete"),
        (lambda text: text.replace("VDD_CORE_A", "VDD_CORF_A"), "incomplete"),
        (lambda text: text[: text.index("   1V8_SYS_V")], "lacks the voltage of 1V8_SYS, HDMI"),
        (lambda text: text + text.splitlines()[0], "names 1V8_SYS_A twice"),
        (lambda text: text.replace("4.00000000A", "9999.00000000A"), "which cannot be"),
        (lambda text: text.replace("4.00000000A", "-4.0000000A"), "incomplete"),
        (lambda text: text.replace("4.00000000A", "4.0000"), "incomplete"),
    ],
)
def test_a_reply_that_is_not_whole_gives_no_power(change: object, reason: str) -> None:
    assert callable(change)
    with pytest.raises(Unavailable, match=reason):
        pmic.power_of(pmic.parse(change(PMIC_REPLY)))


@given(st.text(alphabet=st.characters(codec="ascii")) | st.sampled_from([PMIC_REPLY]), st.data())
def test_no_text_breaks_the_parser_or_makes_an_unbelievable_power(
    text: str, data: st.DataObject
) -> None:
    cut = data.draw(st.integers(0, len(text)))
    mixed = text[cut:] + text[:cut]
    try:
        power = pmic.power_of(pmic.parse(mixed))
    except Unavailable:
        return
    assert 0 <= power.watts <= 2000


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        ('error=1 error_msg="Command not registered"\n', "Command not registered"),
        ("VCHI initialization failed\n", "group video"),
        ("Can't open device file: /dev/vcio\nTry creating …\n", "group video"),
    ],
)
def test_errors_that_come_with_exit_status_0_are_told(
    tmp_path: Path, reply: str, reason: str
) -> None:
    with pytest.raises(Unavailable, match=reason) as caught:
        pmic.probe(pi5(tmp_path, pmic=reply))
    assert not isinstance(caught.value, Absent)


def test_a_machine_without_the_firmware_has_no_such_sensor(tmp_path: Path) -> None:
    with pytest.raises(Absent, match="vcgencmd is not installed"):
        pmic.probe(Devices(tmp_path, run=Commands({})))


def test_a_closed_mailbox_is_not_taken_for_an_absent_one(tmp_path: Path) -> None:
    tree(tmp_path, {"dev/vcio": b""})

    def refuse(descriptor: int, request: int, buffer: bytearray) -> None:
        raise PermissionError(1, "Operation not permitted")

    with pytest.raises(Unavailable) as caught:
        pmic.probe(Devices(tmp_path, run=Commands({}), control=refuse))
    assert not isinstance(caught.value, Absent)


class _Mailbox:
    """The kernel's side of the ioctl: answers in the buffer, lines separated by NUL bytes."""

    def __init__(self, replies: dict[str, str], error: int = 0) -> None:
        self.replies = replies
        self.error = error

    def __call__(self, descriptor: int, request: int, buffer: bytearray) -> None:
        assert request == 0xC0086400
        size, status, tag, room = struct.unpack_from("=4I", buffer)
        assert (size, status, tag, room) == (len(buffer), 0, 0x00030080, 1024)
        command = bytes(buffer[24:1048]).rstrip(b"\0").decode()
        reply = self.replies[command].replace("\n", "\0").encode()
        buffer[24:1048] = reply.ljust(1024, b"\0")
        struct.pack_into("=I", buffer, 20, self.error)


def test_the_mailbox_is_preferred_and_reads_the_same(tmp_path: Path) -> None:
    tree(tmp_path, {"dev/vcio": b""})
    mailbox = _Mailbox({"get_throttled": "throttled=0x0", "pmic_read_adc": PMIC_REPLY})
    commands = Commands({})
    reader = pmic.probe(Devices(tmp_path, run=commands, control=mailbox))
    assert reader.via == "mailbox"
    assert reader.read().watts == pytest.approx(PMIC_WATTS)
    assert commands.asked == []


def test_an_error_in_the_mailbox_leads_to_the_command(tmp_path: Path) -> None:
    devices = pi5(tmp_path)
    tree(tmp_path, {"dev/vcio": b""})
    mailbox = _Mailbox({"get_throttled": ""}, error=1)
    reader = pmic.probe(Devices(tmp_path, run=devices.run, control=mailbox))
    assert reader.via == "vcgencmd"


def test_a_request_has_the_layout_of_vcgencmd() -> None:
    buffer = mailbox_request("get_throttled")
    assert len(buffer) == 24 + 1024 + 4
    assert struct.unpack_from("=6I", buffer) == (1052, 0, 0x30080, 1024, 0, 0)
    assert buffer[24:38] == b"get_throttled\0"
    assert buffer[-4:] == b"\0\0\0\0"


@given(st.binary(max_size=2048))
def test_no_buffer_breaks_the_mailbox(buffer: bytes) -> None:
    with contextlib.suppress(Unavailable):
        mailbox_reply(buffer)
