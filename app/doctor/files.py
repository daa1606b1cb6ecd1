"""The model's file and the folders that Bedside writes into."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from app.doctor.check import Check, attention, not_checked, ok
from app.errors import BedsideError
from app.sanitise import one_line


def model(name: str, size: int, compared: bool) -> Check:
    """What is known of a model file that passed the strict look at its header.

    Args:
        name: as the catalogue or the settings have it.
        size: bytes.
        compared: whether its hash is the one in the catalogue.
    """
    there = f"{name} is there ({size / 1e6:,.0f} MB)"
    if not compared:
        return not_checked(
            "model",
            f"{there}; no hash is listed to compare it with.",
            "`bedside models add` takes it into your own list.",
        )
    return ok("model", f"{there}, whole and the one that was listed.")


def broken_model(error: BedsideError) -> Check:
    """There is no model that could be opened; the failure says why and what to do."""
    return attention("model", str(error), essential=True)


def private_folder(check_id: str, folder: Path) -> Check:
    """Whether a folder is its owner's alone."""
    shown = one_line(str(folder))
    try:
        status = folder.stat()
    except FileNotFoundError:
        return not_checked(check_id, f"{shown} does not exist yet; it is made for you alone.")
    except OSError as error:
        return attention(
            check_id,
            f"{shown} cannot be looked at ({error.strerror}).",
            f"Make it yours: `sudo chown -R $USER {shown}`.",
        )
    if not os.access(folder, os.W_OK | os.X_OK):
        return attention(
            check_id,
            f"{shown} cannot be written to, so nothing is kept.",
            f"Make it yours: `sudo chown -R $USER {shown}`.",
        )
    others = stat.S_IMODE(status.st_mode) & 0o077
    if others:
        return attention(
            check_id,
            f"{shown} is open to other users ({stat.S_IMODE(status.st_mode):04o}).",
            f"Close it: `chmod 700 {shown}`.",
        )
    return ok(check_id, f"{shown} is yours alone.")
