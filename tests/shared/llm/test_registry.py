"""Which models may be asked, said before any work is done."""

import subprocess
import sys

import pytest
from pydantic import SecretStr

from shared.errors import Refused
from shared.llm.failure import ModelError
from shared.llm.model import ModelRequest
from shared.llm.registry import check_model, client_from, split_model
from shared.settings import Settings

KEY = "sk-very-secret"


def settings(url: str | None = None, key: str | None = None) -> Settings:
    return Settings.model_construct(
        openai_base_url=url,
        openai_api_key=None if key is None else SecretStr(key),
        model_timeout=5.0,
    )


@pytest.mark.parametrize(
    ("name", "url", "key"),
    [
        ("builtin/extractive", None, None),
        ("openai/gpt-4o-mini", None, KEY),
        ("openai/org/model:7b", "http://127.0.0.1:11434/v1", None),
    ],
)
def test_a_model_that_can_be_asked_is_let_through(
    name: str, url: str | None, key: str | None
) -> None:
    check_model(name, settings(url, key))


@pytest.mark.parametrize(
    ("name", "url", "key", "code"),
    [
        ("builtin/huge", None, None, "unknown_model"),
        ("acme/m", None, KEY, "unknown_provider"),
        ("extractive", None, KEY, "unknown_provider"),
        ("openai/", None, KEY, "unknown_provider"),
        ("openai/m", None, None, "api_key_missing"),
        ("openai/m", None, "", "api_key_missing"),
        ("openai/m", "https://api.openai.com/v1", None, "api_key_missing"),
        ("openai/m", "127.0.0.1:11434/v1", None, "base_url_invalid"),
    ],
)
def test_a_model_that_cannot_be_asked_is_refused_with_its_reason(
    name: str, url: str | None, key: str | None, code: str
) -> None:
    with pytest.raises(Refused) as refused:
        check_model(name, settings(url, key))
    assert refused.value.code == code
    assert refused.value.field == "model"


def test_a_missing_key_is_said_in_the_words_users_know() -> None:
    with pytest.raises(Refused, match="API key not configured for openai: set OPENAI_API_KEY"):
        check_model("openai/gpt-4o", settings())


def test_an_unknown_provider_is_told_which_are_known() -> None:
    with pytest.raises(Refused, match="builtin, openai"):
        check_model("acme/m", settings())


def test_a_name_is_split_at_its_first_slash() -> None:
    assert split_model("openai/org/model") == ("openai", "org/model")


async def test_a_provider_that_is_not_configured_fails_the_call_for_good() -> None:
    async with client_from(settings(), {}) as client:
        request = ModelRequest(model="m", messages=(), temperature=0, max_tokens=1)
        with pytest.raises(ModelError) as caught:
            await client.call("openai", request)
    assert caught.value.code == "unknown_provider"
    assert caught.value.fatal


def test_checking_a_name_loads_no_http_client() -> None:
    program = (
        "import sys; from shared.llm.registry import check_model; from shared.settings import Settings;"
        "check_model('builtin/extractive', Settings()); assert 'aiohttp' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
