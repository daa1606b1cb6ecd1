"""Where Bedside keeps its files on this machine, each folder readable by its owner alone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from app.errors import ResourceError
from app.sanitise import one_line


@dataclass(frozen=True, slots=True)
class Folders:
    """The user's own folders. None of them is made before something is written into it."""

    config: Path
    """`config.toml`, which people write."""
    state: Path
    """Run logs and what Bedside remembers between runs; worth keeping."""
    cache: Path
    """What can be made again at any time."""
    data: Path
    """Models that were added."""

    @classmethod
    def standard(cls) -> Folders:
        """By the XDG rules: `$XDG_CONFIG_HOME/bedside` and so on, else under the home folder."""
        import platformdirs  # the installer makes folders before this library is there

        own = platformdirs.PlatformDirs("bedside", appauthor=False)
        return cls(
            config=own.user_config_path,
            state=own.user_state_path,
            cache=own.user_cache_path,
            data=own.user_data_path,
        )

    def made(self, folder: Path) -> Path:
        """One of the folders, or one below them, made where it does not exist."""
        return private_folder(folder)


def private_folder(path: Path) -> Path:
    """Makes the folder for its owner alone (0700) where it does not exist, and returns it.

    Note:
        The permissions of a folder that exists are left as they are: they are its owner's choice.

    Raises:
        ResourceError: it cannot be made.
    """
    try:
        for missing in reversed(
            [folder for folder in (path, *path.parents) if not folder.exists()]
        ):
            missing.mkdir(mode=0o700, exist_ok=True)
        if not path.is_dir():
            raise NotADirectoryError(20, "a file of that name is in the way")
    except OSError as error:
        raise ResourceError(
            f"The folder {one_line(str(path))} cannot be made ({error.strerror}). "
            "Check the permissions and the space of the disk it lies on."
        ) from error
    return path
