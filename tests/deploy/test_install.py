"""install.sh on a board in a folder: what it refuses, each in a sentence, and what it installs."""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from app.releases import bundle
from tests.app.releases.bundles import MODEL
from tests.app.releases.machines import auxv
from tests.app.releases.test_install import flip, tree
from tests.deploy import installing
from tests.deploy.installing import Board, Key, program


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Key:
    installing.need_ssh_keygen()
    return Key.make(tmp_path_factory.mktemp("key") / "release")


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory, key: Key) -> Board:
    return installing.make(tmp_path_factory.mktemp("template"), key)


@pytest.fixture
def board(tmp_path: Path, template: Board) -> Board:
    return installing.copy(template, tmp_path)


def refused(board: Board, *options: str, code: int, sentence: str) -> None:
    """It refuses in one sentence, and nothing on the board has changed."""
    before = tree(board.root)
    done = board.trusting(*options)
    assert sentence in done.stderr
    assert done.returncode == code
    assert len(done.stderr.splitlines()) == 1
    assert tree(board.root) == before
    assert not (board.root / "opt").exists() or not any((board.root / "opt").iterdir())


@pytest.mark.parametrize("shell", ["sh", "busybox sh"])
def test_it_installs_updates_goes_back_and_goes(board: Board, tmp_path: Path, shell: str) -> None:
    if shutil.which(shell.split()[0]) is None:
        pytest.skip(f"{shell} is not installed here")
    before = tree(board.root)
    done = board.trusting(shell=shell)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Bedside 1.0.0 is installed." in done.stdout
    opt = board.root / "opt/bedside"
    assert (opt / "current").readlink() == Path("releases/1.0.0")
    assert [path.name for path in (opt / "releases").iterdir()] == ["1.0.0"]
    assert (board.root / "etc/bedside/allowed_signers").read_bytes() == board.key.signers
    model = opt / "current/venv/share/bedside/models" / Path(MODEL).name
    assert model.read_bytes() == b"GGUF of 1.0.0"

    newer = installing.make_stick(tmp_path / "newer", "1.0.1", board.key)
    check_that_an_update_drops_no_option(board, newer)
    done = board.trusting(shell=shell, stick=newer)
    assert (done.returncode, done.stderr) == (0, "")
    assert "the installed program takes over" in done.stdout
    assert (opt / "current").readlink() == Path("releases/1.0.1")
    assert (opt / "previous").readlink() == Path("releases/1.0.0")
    check_that_a_sick_release_is_put_back(board)

    done = board.install("--uninstall", shell=shell)
    assert "--keep-data or --remove-data" in done.stderr
    installed = sorted(board.root.rglob("*"))
    done = board.install("--dry-run", "--uninstall", "--remove-data", shell=shell)
    assert (done.returncode, done.stderr) == (0, "")
    assert "will be deleted.\nNothing was changed" in done.stdout
    assert sorted(board.root.rglob("*")) == installed
    done = board.install("--uninstall", "--remove-data", shell=shell)
    assert (done.returncode, done.stderr) == (0, "")
    assert tree(board.root) == before


def check_that_an_update_drops_no_option(board: Board, newer: Path) -> None:
    for options, code, sentence in (
        (("--fingerprint", "SHA256:WRONG"), 3, "is not the one that is pinned in"),
        (("--offers", "all"), 2, "An update takes no offers"),
        (("--keep-data",), 2, "an option of --uninstall"),
    ):
        for dry in ((), ("--dry-run",)):
            done = board.trusting(*options, *dry, stick=newer)
            assert (done.returncode, sentence in done.stderr) == (code, True)
    assert (board.root / "opt/bedside/current").readlink() == Path("releases/1.0.0")


def check_that_a_sick_release_is_put_back(board: Board) -> None:
    opt = board.root / "opt/bedside"
    (opt / "previous/venv/broken").touch()
    python = opt / "current/venv/bin/python"
    done = subprocess.run(
        [str(python), "-I", "-m", "app.releases", "rollback", "--prefix", str(board.root)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 6
    assert "Bedside 1.0.1 runs again" in done.stderr
    assert (opt / "current").readlink() == Path("releases/1.0.1")


def test_a_dry_run_changes_nothing(board: Board) -> None:
    before = tree(board.root)
    done = board.install("--dry-run")
    assert done.returncode == 0
    assert "Bedside 1.0.0 for pi5 will be installed" in done.stdout
    assert "Nothing was changed" in done.stdout
    assert tree(board.root) == before


@pytest.mark.parametrize(
    ("name", "script", "sentence"),
    [
        ("uname", "echo x86_64", "this machine is x86_64"),
        ("dpkg", "echo armhf", "the system on it is not (armhf)"),
        ("getconf", "echo glibc 2.16", "needs glibc 2.17 or later, and this system has 2.16"),
        ("getconf", "exit 1", "this system has another"),
        ("ssh-keygen", "exit 127", "holds no key"),
    ],
)
def test_systems_that_do_not_fit(board: Board, name: str, script: str, sentence: str) -> None:
    program(board.programs, name, script)
    refused(board, code=3 if name == "ssh-keygen" else 2, sentence=sentence)


def write(board: Board, path: str, content: bytes) -> None:
    (board.root / path).write_bytes(content)


@pytest.mark.parametrize(
    ("path", "content", "code", "sentence"),
    [
        ("proc/self/auxv", auxv(0b11 | 1 << 10), 2, "lacks asimddp"),
        ("proc/device-tree/model", b"NVIDIA Jetson Orin Nano\0", 2, "this is NVIDIA Jetson Orin"),
        ("proc/device-tree/model", b"Raspberry Pi 4 Model B\0", 2, "this is Raspberry Pi 4"),
        ("proc/meminfo", b"MemTotal:  1000000 kB\n", 4, "needs a board with 2000 MB"),
    ],
)
def test_boards_that_do_not_fit(
    board: Board, path: str, content: bytes, code: int, sentence: str
) -> None:
    write(board, path, content)
    refused(board, code=code, sentence=sentence)


def test_a_board_without_a_name_may_be_named(board: Board) -> None:
    (board.root / "proc/device-tree/model").unlink()
    refused(board, code=2, sentence="a machine without a name")
    assert board.trusting("--board", "pi5").returncode == 0


def test_no_group_for_the_sensors(board: Board) -> None:
    write(board, "etc/group", b"root:x:0:\n")
    done = board.install("--dry-run")
    assert done.returncode == 2
    assert "no group video" in done.stderr


def test_a_full_disk(board: Board) -> None:
    program(board.programs, "df", "echo Filesystem; echo none 9 9 100 9 /")
    refused(board, code=4, sentence="needs 1 MB of the disk")


def test_a_clock_in_1970_is_only_noted(board: Board) -> None:
    program(board.programs, "date", "case $1 in +%s) echo 86400 ;; *) echo 1970-01-02 ;; esac")
    done = board.trusting("--dry-run")
    assert "clock is wrong (1970-01-02)" in done.stdout
    assert done.returncode == 0


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("", "does not say its JetPack release"),
        ("# R36 (release), REVISION: 4.7, GCID: 1, BOARD: generic", "36.4.7 fails large"),
        ("# R35 (release), REVISION: 4.1, GCID: 1", "nobody has tried"),
    ],
)
def test_jetpack_is_remarked_on(board: Board, tmp_path: Path, text: str, note: str) -> None:
    write(board, "proc/device-tree/model", b"NVIDIA Jetson Orin Nano Developer Kit\0")
    write(board, "etc/nv_tegra_release", text.encode() + b"\n")
    stick = installing.make_stick(tmp_path / "orin", "1.0.0", board.key, board="orin-nano")
    done = board.install("--dry-run", stick=stick)
    assert note in done.stdout
    assert done.returncode == 0


WHEEL = bundle.wheel_of("1.0.0")


@pytest.mark.parametrize("path", [bundle.SIGNERS, WHEEL, MODEL, *bundle.UNLISTED])
def test_a_flipped_byte_is_refused(board: Board, path: str) -> None:
    """In what the script reads, and in one of the files that it leaves to the program; the others
    are in tests/app/releases, as is whatever else the program refuses."""
    flip(board.stick / path)
    before = tree(board.root)
    done = board.trusting()
    assert done.returncode in (2, 3)
    assert len(done.stderr.splitlines()) == 1
    assert tree(board.root) == before


def piped(path: Path) -> None:
    """Puts a pipe in place of a file: whoever opens it to read waits for ever."""
    path.unlink()
    os.mkfifo(path)


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda stick: (stick / bundle.SIGNATURE).unlink(), f"lacks {bundle.SIGNATURE}"),
        (lambda stick: (stick / "\x1b]52;c;eA==\x07\n").touch(), "holds “”, which does not belong"),
        (lambda stick: os.truncate(stick / bundle.MANIFEST, 2**30), "manifest.json of the bundle"),
        (lambda stick: os.truncate(stick / bundle.SUMS, 2**30), "is not signed with the key"),
        (lambda stick: piped(stick / WHEEL), f"lacks {WHEEL}"),
        (lambda stick: piped(stick / bundle.SIGNERS), f"lacks {bundle.SIGNERS}"),
    ],
)
def test_a_bundle_that_is_not_one(
    board: Board, spoil: Callable[[Path], object], sentence: str
) -> None:
    spoil(board.stick)
    refused(board, code=3, sentence=sentence)


def test_paths_that_lead_elsewhere(board: Board) -> None:
    """Signed, so that it is the program that must refuse them."""
    (board.root / "victim").write_text("of the board")
    with (board.stick / bundle.SUMS).open("a") as sums:
        sums.write("0" * 64 + "  ../victim\n")
    board.key.sign(board.stick / bundle.SUMS)
    refused(board, code=3, sentence="“../victim” is no path that a bundle may hold")


def test_a_stick_that_is_pulled_out(board: Board) -> None:
    pulled = 'case $3 in *.whl) echo "head: $3: Input/output error" >&2; exit 1 ;; esac'
    program(board.programs, "head", f'{pulled}\nexec {shutil.which("head")} "$@"')
    refused(board, code=3, sentence="could not be copied (Input/output error)")


def test_a_folder_for_files_that_cannot_be_written(board: Board) -> None:
    program(board.programs, "mktemp", "exit 1")
    refused(board, code=4, sentence="See that its disk is writable")


def test_a_folder_for_files_that_is_full(board: Board) -> None:
    full = 'echo "head: error writing: No space left on device" >&2; exit 1'
    program(
        board.programs,
        "head",
        f'case $3 in *.whl) {full} ;; esac\nexec {shutil.which("head")} "$@"',
    )
    refused(board, code=4, sentence="is full. Make room")


def test_names_that_a_shell_would_read(template: Board, tmp_path: Path) -> None:
    board = installing.copy(template, tmp_path / 'it\'s a $(touch caught) "stick" `*` \\')
    assert board.trusting("--dry-run").returncode == 0
    done = board.trusting()
    assert (done.returncode, done.stderr) == (0, "")
    installed = board.root / "opt/bedside/current/manifest.json"
    assert stat.S_IMODE(installed.stat().st_mode) & 0o044 == 0o044


def test_another_key_than_in_the_handbook(board: Board, tmp_path: Path) -> None:
    other = Key.make(tmp_path / "other")
    refused(
        board, "--fingerprint", other.fingerprint, code=3, sentence="not the key that you named"
    )
    done = board.install("--no-systemd")
    assert done.returncode == 2
    assert "--fingerprint" in done.stderr


@pytest.mark.parametrize(("answer", "code"), [("yes", 0), ("y", 3)])
def test_a_person_compares_the_key(board: Board, answer: str, code: int) -> None:
    ours, theirs = os.openpty()
    os.write(ours, f"{answer}\n".encode())
    with os.fdopen(theirs) as terminal:
        done = board.install("--no-systemd", stdin=terminal)
    os.close(ours)
    assert f"The key of this bundle: {board.key.fingerprint}\n" in done.stdout
    assert done.returncode == code
    assert (board.root / "opt/bedside/current").exists() is (code == 0)


def test_it_goes_without_its_own_help(board: Board) -> None:
    """A release that does not run any more, as after an upgrade of the system's Python. Then the
    stick's program helps, if the board's own key signed it."""
    before = tree(board.root)
    assert board.trusting().returncode == 0
    (board.root / "var/lib/bedside/kept").write_text("words")
    (board.root / "opt/bedside/current/venv/bin/python").unlink()
    whole = (board.stick / WHEEL).read_bytes()
    (board.stick / WHEEL).write_bytes(whole + b"foreign")
    done = board.install("--uninstall", "--keep-data")
    assert (done.returncode, f"damaged ({WHEEL})" in done.stderr) == (3, True)
    assert (board.root / "opt/bedside/current").is_symlink()
    (board.stick / WHEEL).write_bytes(whole)
    done = board.install("--uninstall", "--keep-data")
    assert (done.returncode, done.stderr) == (0, "")
    assert tree(board.root) == before | {"var/lib/bedside/kept": "words"}


def test_a_bundle_signed_by_another(board: Board, tmp_path: Path) -> None:
    Key.make(tmp_path / "other").sign(board.stick / bundle.SUMS)
    refused(board, code=3, sentence="not signed with the key")


def test_a_signature_of_something_else(board: Board) -> None:
    board.key.sign(board.stick / bundle.SUMS, namespace="file")
    refused(board, code=3, sentence="not signed with the key")


def test_a_second_key_beside_the_first(board: Board, tmp_path: Path) -> None:
    signers = board.stick / bundle.SIGNERS
    signers.write_bytes(signers.read_bytes() + Key.make(tmp_path / "other").signers)
    refused(board, code=3, sentence="holds no key")


@pytest.mark.parametrize("options", ["", f'namespaces="{bundle.NAMESPACE}" '])
def test_a_second_key_in_the_line_of_the_first(board: Board, tmp_path: Path, options: str) -> None:
    """OpenSSH takes the first key of a line, and the rest for a comment: it must not be the rest
    whose fingerprint a person compares."""
    other = Key.make(tmp_path / "other")
    theirs, ours = (one.signers.decode().split()[-1] for one in (other, board.key))
    line = f"{bundle.IDENTITY} {options}ssh-ed25519 {theirs} ssh-ed25519 {ours}\n"
    (board.stick / bundle.SIGNERS).write_text(line)
    other.sign(board.stick / bundle.SUMS)
    refused(board, code=3, sentence="holds no key")


def test_two_installers_at_once(board: Board) -> None:
    opt = board.root / "opt/bedside"
    opt.mkdir(parents=True)
    with (opt / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = board.trusting()
    assert done.returncode == 2
    assert "Another installation, update or rollback is at work" in done.stderr
