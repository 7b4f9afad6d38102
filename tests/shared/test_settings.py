"""Settings: the environment wins over the file, the file over the defaults, and what is wrong is named."""

import os
from pathlib import Path

import pytest

from shared.errors import GristmillError
from shared.settings import (
    Settings,
    as_environment,
    check_environment,
    explain_settings,
    load_settings,
)


@pytest.fixture(autouse=True)
def _bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.startswith(("GRISTMILL_", "OPENAI_")):
            monkeypatch.delenv(name)


def write(text: str, name: str = "gristmill.yaml") -> Path:
    path = Path(name)
    path.write_text(text)
    return path


def origins(**flags: object) -> dict[str, tuple[str, str]]:
    explained = explain_settings(load_settings(**flags), os.environ, **flags)
    return {each.name: (each.value, each.origin) for each in explained}


def test_a_flag_wins_over_the_environment_the_environment_over_the_file_the_file_over_the_default(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write("port: 1111\nhost: '::1'\nack_wait: 7\ntenant: null\n")
    monkeypatch.setenv("GRISTMILL_PORT", "2222")
    monkeypatch.setenv("GRISTMILL_HOST", "localhost")
    found = origins(port=3333)
    assert found["port"] == ("3333", "flag")
    assert found["host"] == ("localhost", "environment")
    assert found["ack_wait"] == ("7", "file")
    assert found["tenant"] == ("default", "default")
    assert load_settings(port=3333).port == 3333
    assert load_settings().ack_wait == 7


def test_a_variable_by_its_other_name_wins_over_the_file_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write("openai_api_key: from-the-file\n")
    monkeypatch.setenv("OPENAI_API_KEY", "from-the-environment")
    key = load_settings().openai_api_key
    assert key is not None
    assert key.get_secret_value() == "from-the-environment"
    assert origins()["openai_api_key"] == ("********", "environment")


def test_the_file_that_is_named_is_read_and_not_the_one_that_lies_here(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    write("port: 1111\n")
    monkeypatch.setenv("GRISTMILL_CONFIG", str(tmp_path / "other.yaml"))
    with pytest.raises(GristmillError, match=r"other\.yaml does not exist") as missing:
        load_settings()
    assert missing.value.code == "settings_file_missing"
    write("port: 4444\n", "other.yaml")
    assert load_settings().port == 4444


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("ack_wiat: 7", "setting_unknown", "'ack_wiat'; did you mean ack_wait?"),
        ("GRISTMILL_PORT: 7", "setting_unknown", "'GRISTMILL_PORT'"),
        ("zzz: 7", "setting_unknown", "`gristmill config` lists all of them"),
        ("port: abc", "setting_invalid", "gristmill.yaml: port: "),
        ("port: 99999", "setting_invalid", "port: Input should be less than or equal to 65535"),
        ("ack_wait: -1", "setting_invalid", "ack_wait: Input should be greater than 0"),
        ("deadline: .nan", "setting_invalid", "deadline: Input should be a finite number"),
        ("leadership: .inf", "setting_invalid", "leadership: Input should be a finite number"),
        ("tenant: a.b>", "setting_invalid", "tenant: String should match pattern"),
        ("port: [1", "settings_file_invalid", "no YAML in line"),
        ("- port", "settings_file_invalid", "it must be a mapping"),
        ("a: !!python/object/apply:os.system [x]", "settings_file_invalid", "no YAML in line 1"),
        ("\x00", "settings_file_invalid", "no YAML"),
    ],
)
def test_what_is_wrong_in_the_file_is_named(text: str, code: str, words: str) -> None:
    write(text)
    with pytest.raises(GristmillError) as wrong:
        load_settings()
    assert wrong.value.code == code
    assert words in wrong.value.message


def test_a_wrong_value_in_the_environment_is_named_by_its_variable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GRISTMILL_BEAT", "often")
    with pytest.raises(GristmillError, match=r"^GRISTMILL_BEAT: ") as wrong:
        load_settings()
    assert wrong.value.code == "setting_invalid"


def test_a_variable_that_sets_nothing_is_named_with_the_nearest_that_does() -> None:
    with pytest.raises(GristmillError, match=r"did you mean GRISTMILL_ACK_WAIT\?"):
        check_environment({"GRISTMILL_ACK_WIAT": "7"})
    check_environment({"GRISTMILL_ACK_WAIT": "7", "GRISTMILL_TEST_STACK": "x", "HOME": "/"})


def test_no_secret_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRISTMILL_NATS_URL", "nats://me:hidden@10.0.0.1:4222")
    monkeypatch.setenv("GRISTMILL_DATABASE_URL", "postgres://me:hidden@db/x?password=hidden")
    monkeypatch.setenv("OPENAI_API_KEY", "hidden")
    found = origins()
    assert "hidden" not in str(found)
    assert found["nats_url"][0] == "nats://me:********@10.0.0.1:4222"


def test_processes_are_given_what_the_file_says_and_not_the_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    write("beat: 1.5\nport: 1111\nopenai_api_key: k\n")
    environ = {"GRISTMILL_PORT": "2222", "GRISTMILL_CONFIG": str(tmp_path / "gristmill.yaml")}
    found = as_environment(environ)
    assert found == {
        "GRISTMILL_PORT": "2222",
        "GRISTMILL_BEAT": "1.5",
        "GRISTMILL_OPENAI_API_KEY": "k",
    }
    for name, value in found.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "gristmill.yaml").unlink()
    assert load_settings().beat == 1.5


def test_every_setting_can_stand_in_the_file() -> None:
    for each in explain_settings(Settings(), {}):
        assert each.origin == "default"
        assert each.variable.isupper()
