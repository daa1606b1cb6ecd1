"""The signature over a bundle's sums, checked by OpenSSH's own tool, which every board has.

A stick cannot vouch for itself: whoever installs first compares the key's fingerprint with the
handbook, and the key is pinned. From then on the installed program accepts that key alone.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from app.errors import BadInputError, ResourceError, UsageError
from app.releases import bundle
from app.releases.commands import MISSING, Run
from app.sanitise import one_line


def check_signature(run: Run, sums: bytes, signature: Path, signers: Path) -> None:
    """See that one of the signers signed these sums, as a bundle of Bedside's.

    Args:
        run: calls ssh-keygen.
        sums: the bytes that will be read, and not a file that may change meanwhile.
        signature: the file beside them.
        signers: lines as `release@bedside namespaces="bedside-bundle" ssh-ed25519 AAAA…`.

    Raises:
        BadInputError: nobody did.
        ResourceError: ssh-keygen is not installed.
    """
    outcome = run(
        [
            *("ssh-keygen", "-Y", "verify", "-f", str(signers), "-I", bundle.IDENTITY),
            *("-n", bundle.NAMESPACE, "-s", str(signature)),
        ],
        stdin=sums,
    )
    if outcome.status == MISSING:
        raise ResourceError(
            "The signature cannot be checked, because ssh-keygen is not here. "
            "Install it with: sudo apt install openssh-client"
        )
    if not outcome.ok:
        raise BadInputError(
            "The bundle is not signed with the key that this board trusts. Do not use it; "
            "get a bundle from whoever gave you the first one."
        )


def pinned(signers: Path, *, owner: int = 0) -> Path:
    """The pinned key's file, which nobody but root can have written.

    Raises:
        UsageError: there is none: nothing was installed here.
        BadInputError: others may write it.
    """
    try:
        found = signers.lstat()
    except OSError as error:
        raise UsageError(
            f"No key is pinned in {one_line(str(signers))} ({os.strerror(error.errno or 0)}). "
            "Install Bedside with the bundle's own install.sh first."
        ) from error
    if not stat.S_ISREG(found.st_mode) or found.st_uid != owner or found.st_mode & 0o022:
        raise BadInputError(
            f"The pinned key {one_line(str(signers))} could have been written by others than root. "
            "Compare it with the handbook, then give it to root alone: chown root, chmod 644."
        )
    return signers
