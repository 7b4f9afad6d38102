"""Import rules that import-linter cannot express; the others are contracts in ``pyproject.toml``."""

import ast
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
SERVICES = {path.parent.name for path in (ROOT / "services").glob("*/__init__.py")}
FOLDERS_OF_LOGIC = {"parsers", "chunkers", "prompts", "checks", "processes", "extractive"}
REACH_OUT = {"open", "input", "eval", "exec", "__import__"}


def modules_of_logic() -> Iterator[Path]:
    for path in sorted((ROOT / "services").rglob("*.py")):
        inside = path.relative_to(ROOT / "services")
        if path.name == "logic.py" or FOLDERS_OF_LOGIC & set(inside.parts[1:-1]):
            yield path


def contracts() -> list[dict[str, object]]:
    found: list[dict[str, object]] = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"][
        "importlinter"
    ]["contracts"]
    return found


def test_every_import_contract_is_kept() -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_every_service_is_named_by_the_contract_that_keeps_them_apart() -> None:
    (apart,) = (each for each in contracts() if each["type"] == "independence")
    named = apart["modules"]
    assert isinstance(named, list)
    assert {str(name).removeprefix("services.") for name in named} == SERVICES


def test_every_folder_of_logic_is_named_by_the_contract_that_keeps_it_pure() -> None:
    (pure,) = (each for each in contracts() if str(each["name"]).startswith("deciding code"))
    named = pure["source_modules"]
    assert isinstance(named, list)
    missing = []
    for path in modules_of_logic():
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        known = path.name == "logic.py" or any(module.startswith(str(each)) for each in named)
        if not known:
            missing.append(module)
    assert missing == []


def test_deciding_code_opens_no_file_and_awaits_nothing() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in modules_of_logic()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Await | ast.AsyncFunctionDef)
        or (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in REACH_OUT
        )
    ]
    assert found == []


def test_every_service_says_what_it_hears_says_and_never_does() -> None:
    silent = [
        name
        for name in sorted(SERVICES)
        if not all(
            word in (ROOT / "services" / name / "__init__.py").read_text()
            for word in ("Hears", "Says", "Never")
        )
    ]
    assert silent == []
