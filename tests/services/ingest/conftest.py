"""Fixtures of ingest: builders of bad files, loaded by path from tests/data."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

DATA = Path(__file__).parents[2] / "data"


def _load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, DATA / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Tests that ask for ``refused`` or ``readable`` run once for each file of that table."""
    for table in ("refused", "readable"):
        if table in metafunc.fixturenames:
            files = getattr(_load("bad_files"), table.upper())
            metafunc.parametrize(
                table, [(name, *row) for name, row in files.items()], ids=list(files)
            )


@pytest.fixture(scope="session")
def bad_files() -> ModuleType:
    return _load("bad_files")


@pytest.fixture(scope="session")
def make_documents() -> ModuleType:
    return _load("make_documents")


@pytest.fixture(scope="session")
def documents() -> Path:
    return DATA / "documents"


@pytest.fixture(scope="session")
def foreign() -> Path:
    return DATA / "foreign"
