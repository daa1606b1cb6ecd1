"""Fills in what a machine can know in models/catalog.toml: hashes, sizes, memory, boards.

    python -m converter.catalogue models/catalog.toml

Only the numbers' lines change; the words, their order and the comments stay as they were written.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from app.engine.modelfile import read_header
from app.errors import BadInputError, BedsideError
from app.toml_file import read_toml
from converter.files import whole_file
from converter.hashes import file_sha256
from converter.published import compute, published, q4_k_m_header

_HEAD = "[[model]]\n"

Numbers = dict[str, str]
"""Key to its value as TOML writes it."""


def filled(catalogue: Path) -> str:
    """The text of the catalogue with every number as it follows from the files and configurations.

    Raises:
        BadInputError: an entry has neither a file beside the catalogue nor a configuration.
    """
    text = catalogue.read_text("utf-8")
    head, *blocks = text.split(_HEAD)
    models = read_toml(catalogue).get("model")
    if not isinstance(models, list) or len(models) != len(blocks):
        raise BadInputError("Each model of the catalogue must begin with a line “[[model]]” alone.")
    done = [
        _with_numbers(block, _numbers(model, catalogue.parent))
        for block, model in zip(blocks, models, strict=True)
    ]
    return _HEAD.join([head, *done])


def _numbers(model: dict[str, object], folder: Path) -> Numbers:
    name, file = str(model["name"]), folder / str(model["file"])
    if file.exists():
        header = read_header(file)
        sha256 = file_sha256(file)
    elif name in published() and model.get("computed") is True:
        header, sha256 = q4_k_m_header(published()[name]), ""
    else:
        raise BadInputError(
            f"The file of “{name}” is not beside the catalogue, and there is no configuration of "
            "it to compute from. Put the file there, or add the configuration and `computed`."
        )
    found = compute(header)
    return {
        "sha256": f'"{sha256}"',
        "bytes": f"{found.bytes:_}",
        "parameters": f"{found.parameters:_}",
        "memory": f"{found.memory:_}",
        "boards": "[" + ", ".join(f'"{board}"' for board in found.boards) + "]",
        "context": str(header.setting("context_length")),
    }


def _with_numbers(block: str, numbers: Numbers) -> str:
    for key, value in numbers.items():
        block, count = re.subn(rf"(?m)^{key} = .*$", f"{key} = {value}", block)
        if count != 1:
            raise BadInputError(f"An entry of the catalogue must have one line “{key} = …”.")
    return block


def main(arguments: list[str]) -> int:
    """Rewrites the catalogue named on the command line; returns the exit code."""
    if len(arguments) != 1:
        print("Name the catalogue: python -m converter.catalogue models/catalog.toml")
        return 2
    catalogue = Path(arguments[0])
    try:
        text = filled(catalogue)
        with whole_file(catalogue) as out:
            out.write(text.encode("utf-8"))
    except BedsideError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
