"""API keys: hashed where they enter, compared without telling anything, never repeated."""

import hashlib
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.api_keys import MARK, check_open, fresh_key, hash_of, hashes_of, is_known
from shared.errors import GristmillError, Refused
from shared.settings import Settings

ONE, TWO = "first-key-of-all", "second-key-of-all"


@given(
    st.text(
        alphabet=st.characters(min_codepoint=33, max_codepoint=126, exclude_characters=","),
        min_size=8,
    )
)
def test_a_key_is_known_by_its_hash_alone(key: str) -> None:
    hashes = (hashlib.sha256(key.encode()).hexdigest(), hash_of("another-one"))
    assert is_known(key, hashes)
    assert not is_known(key + "x", hashes)
    assert not is_known(key, ())


def test_keys_may_be_said_plainly_or_by_their_hash() -> None:
    assert hashes_of(f" {ONE} , {MARK}{hash_of(TWO)},,{ONE}") == (hash_of(ONE), hash_of(TWO))
    assert hashes_of(" ,") == ()


@pytest.mark.parametrize(
    "said", ["short", "sha256:abc", "with space inside", "long" * 60, "clé-secrète"]
)
def test_a_key_that_cannot_be_used_is_refused_and_not_repeated(said: str) -> None:
    with pytest.raises(GristmillError) as refused:
        hashes_of(f"{ONE},{said}")
    assert refused.value.code == "invalid_api_key"
    assert "key 2" in refused.value.message
    assert said not in refused.value.message
    assert ONE not in refused.value.message


def test_fresh_keys_can_be_used_and_are_fresh() -> None:
    assert hashes_of(fresh_key()) != hashes_of(fresh_key())


def test_settings_hold_hashes_and_show_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMPILEO_API_KEYS", f"{ONE},{MARK}{hash_of(TWO)}")
    monkeypatch.setenv("GRISTMILL_API_KEY", ONE)
    found = Settings()
    assert found.key_hashes == (hash_of(ONE), hash_of(TWO))
    assert Settings.model_validate({"api_keys": [ONE, TWO]}).key_hashes == (
        hash_of(ONE),
        hash_of(TWO),
    )
    for secret in (ONE, hash_of(ONE), hash_of(TWO)):
        assert secret not in repr(found)
    for name in ("COMPILEO_API_KEYS", "GRISTMILL_API_KEY"):
        del os.environ[name]
    assert Settings().key_hashes == ()


def test_an_open_gateway_listens_on_loopback_only() -> None:
    for host in ("127.0.0.1", "127.9.9.9", "::1", "localhost"):
        check_open(host, ())
    for host in ("0.0.0.0", "::", "192.0.2.1", "example.org", ""):
        check_open(host, (hash_of(ONE),))
        with pytest.raises(Refused) as refused:
            check_open(host, ())
        assert refused.value.code == "api_key_required"
