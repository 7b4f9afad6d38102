"""The rules of the house that no linter knows. Each failure names the file and the line."""

import ast
import io
import re
import tokenize
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CODE = sorted(
    path
    for top in ("contracts", "shared", "services")
    for path in (ROOT / top).rglob("*.py")
    if "__pycache__" not in path.parts
)
TESTS = sorted(path for path in (ROOT / "tests").rglob("*.py") if "data" not in path.parts)

LONGEST_FUNCTION, LONGEST_MODULE = 60, 400
CATCHES_ALL = {ROOT / "shared" / "worker.py", ROOT / "services" / "ledger" / "recorder.py"}
"""Where any error of one message is caught and said, so that the others go on: both have a dead-letter stream."""
CLOCKS = {ROOT / "shared" / "clock.py"}
NAMES_OF_NOTHING = {"utils", "util", "common", "helpers", "helper", "manager", "managers", "misc"}
MARKS = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
NOW = {"now", "utcnow", "today"}
DRAWN = {"uuid1", "uuid4"}

Found = Iterator[tuple[int, str]]
Rule = Callable[[Path], Found]


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def told(paths: list[Path], rule: Rule) -> str:
    """One line a finding, so that a failure shows them all."""
    return "\n".join(
        f"{path.relative_to(ROOT)}:{line}: {what}" for path in paths for line, what in rule(path)
    )


def long_functions(path: Path) -> Found:
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > LONGEST_FUNCTION:
                yield node.lineno, f"{node.name} has {lines} lines"


def long_modules(path: Path) -> Found:
    lines = len(path.read_text().splitlines())
    if lines > LONGEST_MODULE:
        yield 1, f"{lines} lines"


def prints(path: Path) -> Found:
    for node in ast.walk(parsed(path)):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id == "print"
        ):
            yield node.lineno, "print"


def broad_excepts(path: Path) -> Found:
    """A handler that hides every error. One that only cleans up and raises on hides nothing."""
    if path in CATCHES_ALL:
        return
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.ExceptHandler) and _broad(node.type) and not _raises_on(node):
            yield node.lineno, "a bare or broad except"


def _broad(kind: ast.expr | None) -> bool:
    if isinstance(kind, ast.Tuple):
        return any(_broad(each) for each in kind.elts)
    return kind is None or (
        isinstance(kind, ast.Name) and kind.id in {"Exception", "BaseException"}
    )


def _raises_on(handler: ast.ExceptHandler) -> bool:
    last = handler.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None


def marks(path: Path) -> Found:
    for token in tokenize.generate_tokens(io.StringIO(path.read_text()).readline):
        if token.type == tokenize.COMMENT and MARKS.search(token.string):
            yield token.start[0], token.string


def without_docstring(path: Path) -> Found:
    if not ast.get_docstring(parsed(path)):
        yield 1, "no docstring"


def clocks(path: Path) -> Found:
    """Time and identity are inputs: reading a clock or drawing an identity has one place."""
    if path in CLOCKS:
        return
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.ImportFrom) and node.module == "uuid":
            yield from ((node.lineno, each.name) for each in node.names if each.name in DRAWN)
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            owner, name = node.value.id, node.attr
            if (owner == "uuid" and name in DRAWN) or (
                owner in {"datetime", "date"} and name in NOW
            ):
                yield node.lineno, f"{owner}.{name}"


def mocks(path: Path) -> Found:
    for node in ast.walk(parsed(path)):
        names = (
            [each.name for each in node.names]
            if isinstance(node, ast.Import)
            else [f"{node.module}.{each.name}" for each in node.names]
            if isinstance(node, ast.ImportFrom)
            else []
        )
        line = getattr(node, "lineno", 0)
        yield from ((line, name) for name in names if "unittest.mock" in name)


@pytest.mark.parametrize(
    "rule",
    [long_functions, long_modules, prints, broad_excepts, marks, without_docstring, clocks],
    ids=lambda rule: rule.__name__,
)
def test_the_code_is_tidy(rule: Rule) -> None:
    assert told(CODE, rule) == ""


@pytest.mark.parametrize("rule", [marks, without_docstring, mocks], ids=lambda rule: rule.__name__)
def test_the_tests_are_tidy(rule: Rule) -> None:
    assert told(TESTS, rule) == ""


def test_no_statement_names_the_schema_of_the_views() -> None:
    # Its name follows from what makes it; the search_path of the gateway's connections leads there.
    gateway = [*CODE, ROOT / "services" / "gateway" / "views" / "schema.sql"]
    assert [str(path) for path in gateway if re.search(r"views_1\.", path.read_text())] == []


def test_no_module_is_named_after_nothing() -> None:
    names = {part for path in CODE for part in path.relative_to(ROOT).with_suffix("").parts}
    assert names & NAMES_OF_NOTHING == set()


UNTIDY = """
import uuid
from datetime import datetime
from uuid import uuid4

def long():
{body}

def f():
    print("x")  # {mark}: later
    try:
        uuid.uuid4()
    except (ValueError, Exception):
        datetime.now()
    try:
        pass
    except BaseException:
        raise
"""


@pytest.mark.parametrize(
    ("rule", "times"),
    [
        (long_functions, 1),
        (long_modules, 1),
        (prints, 1),
        (broad_excepts, 1),
        (marks, 1),
        (without_docstring, 1),
        (clocks, 3),
    ],
)
def test_each_rule_finds_what_it_is_for(tmp_path: Path, rule: Rule, times: int) -> None:
    path = tmp_path / "untidy.py"
    path.write_text(
        UNTIDY.format(body="    x = 1\n" * LONGEST_FUNCTION, mark="TODO") + "\n" * LONGEST_MODULE
    )
    assert len(list(rule(path))) == times
