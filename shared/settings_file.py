"""The YAML file of settings: where it is, what may stand in it, and what is wrong with it.

Reads one file and nothing else; what a value means is said by ``shared.settings``.
"""

import difflib
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from shared.errors import GristmillError

VARIABLE = "GRISTMILL_CONFIG"
"""Names the file; without it, the usual one is taken where it exists."""
USUAL = Path("gristmill.yaml")
LARGEST = 1 << 20


def settings_file(environ: Mapping[str, str]) -> Path | None:
    """The file that holds: the one that the environment names, or ``gristmill.yaml`` of the working directory."""
    named = environ.get(VARIABLE)
    if named:
        return Path(named)
    return USUAL if USUAL.is_file() else None


def read_settings_file(path: Path, known: Collection[str]) -> dict[str, Any]:
    """Values by the name of their setting. Raise ``GristmillError`` that says what is wrong, and where."""
    found = _parsed(path)
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise _invalid(path, "it must be a mapping, one `setting: value` a line")
    for name in found:
        if not isinstance(name, str) or name not in known:
            raise GristmillError(
                "setting_unknown",
                f"{path}: there is no setting {str(name)[:100]!r}{suggestion(str(name), known)}",
            )
    return {name: value for name, value in found.items() if value is not None}


def suggestion(name: str, known: Collection[str]) -> str:
    """The nearest name that exists, as the end of a sentence."""
    near = difflib.get_close_matches(name.lower(), [each.lower() for each in known], n=1)
    if not near:
        return "; `gristmill config` lists all of them."
    return f"; did you mean {next(each for each in known if each.lower() == near[0])}?"


def _parsed(path: Path) -> object:
    import yaml

    try:
        if path.stat().st_size > LARGEST:
            raise _invalid(path, "it is larger than 1 MiB")
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise GristmillError(
            "settings_file_missing",
            f"{path} does not exist; --config and {VARIABLE} name a YAML file of settings.",
        ) from None
    except OSError as problem:
        raise _invalid(path, problem.strerror or "it cannot be read") from None
    except UnicodeDecodeError:
        raise _invalid(path, "it is not UTF-8 text") from None
    except yaml.MarkedYAMLError as problem:
        mark = problem.problem_mark
        where = f" in line {mark.line + 1}" if mark else ""
        raise _invalid(path, f"no YAML{where}: {problem.problem or problem.context}") from None
    except yaml.YAMLError as problem:
        raise _invalid(path, f"no YAML: {problem}") from None


def _invalid(path: Path, why: str) -> GristmillError:
    return GristmillError("settings_file_invalid", f"{path} cannot be used: {why}.")
