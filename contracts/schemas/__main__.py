"""Writes the schemas beside this file and removes those of messages that are no more."""

import sys
from pathlib import Path

from contracts.schemas import files


def main(folder: Path) -> None:
    """Bring a folder to what the contracts say now, and tell what changed."""
    wanted = files()
    stale = {path.name for path in folder.glob("*.json")} - wanted.keys()
    for name in sorted(stale):
        (folder / name).unlink()
        sys.stdout.write(f"removed {name}\n")
    for name, text in wanted.items():
        path = folder / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            sys.stdout.write(f"wrote {name}\n")


if __name__ == "__main__":
    main(Path(__file__).parent)
