"""The test servers as containers, as far as no container engine is needed to see it."""

import pytest

from tests.containers import kind, skip_without_engine


def test_servers_are_embedded_unless_containers_are_asked_for() -> None:
    assert kind({}) == "embedded"
    assert kind({"GRISTMILL_TEST_STACK": "containers"}) == "containers"
    with pytest.raises(ValueError, match="'embedded' or 'containers'"):
        kind({"GRISTMILL_TEST_STACK": "docker"})


def test_without_an_engine_tests_are_skipped_with_the_reason(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    with pytest.raises(pytest.skip.Exception, match=r"no container engine answers.*DOCKER_HOST"):
        skip_without_engine()
