"""Which models there are, and the client that asks them. Checking a name touches no network and imports no HTTP."""

from collections.abc import Mapping
from secrets import SystemRandom
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from shared.errors import Refused
from shared.settings import Settings

if TYPE_CHECKING:
    from shared.llm.client import ModelClient
    from shared.llm.model import Provider

OFFICIAL_OPENAI = "https://api.openai.com/v1"
PROVIDERS = ("builtin", "openai")
BUILTIN_MODELS = ("extractive",)


def split_model(name: str) -> tuple[str, str]:
    """Provider and model of ``provider/model``; the model's own name may hold slashes."""
    provider, slash, model = name.partition("/")
    if not slash or not provider or not model or not model.isprintable() or " " in name:
        raise Refused(
            "unknown_provider",
            f"A model is named provider/model, for example builtin/extractive; got {name!r}."
            f" Providers: {', '.join(PROVIDERS)}.",
            field="model",
        )
    return provider, model


def check_model(name: str, settings: Settings) -> None:
    """Raise ``Refused`` where ``name`` cannot be asked with these settings, before any work is done."""
    provider, model = split_model(name)
    if provider == "builtin":
        if model not in BUILTIN_MODELS:
            known = ", ".join(f"builtin/{one}" for one in BUILTIN_MODELS)
            raise Refused(
                "unknown_model",
                f"There is no built-in model {model}; there is: {known}.",
                field="model",
            )
    elif provider == "openai":
        _check_openai(settings)
    else:
        raise Refused(
            "unknown_provider",
            f"There is no provider {provider}; known: {', '.join(PROVIDERS)}.",
            field="model",
        )


def _check_openai(settings: Settings) -> None:
    address = urlsplit(_openai_url(settings))
    if address.scheme not in {"http", "https"} or not address.hostname:
        raise Refused(
            "base_url_invalid",
            "OPENAI_BASE_URL must be an http or https address, for example http://127.0.0.1:8080/v1.",
            field="model",
        )
    # A server of one's own may go without a key; the official one never answers without.
    if not _openai_key(settings) and address.hostname == urlsplit(OFFICIAL_OPENAI).hostname:
        raise Refused(
            "api_key_missing",
            "API key not configured for openai: set OPENAI_API_KEY",
            field="model",
        )


def _openai_url(settings: Settings) -> str:
    return settings.openai_base_url or OFFICIAL_OPENAI


def _openai_key(settings: Settings) -> str:
    return settings.openai_api_key.get_secret_value() if settings.openai_api_key else ""


def client_from(settings: Settings, extra: Mapping[str, "Provider"]) -> "ModelClient":
    """A client of every provider that is configured, and of those in ``extra`` (the built-in model is code of the
    service that uses it). Opens no connection before the first call; close it after the last.
    """
    from shared.llm.client import ModelClient
    from shared.llm.http import Http
    from shared.llm.openai import OpenAi

    http = Http(settings.model_timeout)
    providers = dict(extra)
    try:
        _check_openai(settings)
    except Refused:
        pass  # Said by check_model to the one who asks for it; other providers work without.
    else:
        key = settings.openai_api_key if _openai_key(settings) else None
        providers["openai"] = OpenAi("openai", _openai_url(settings), key, http)
    # Lots that need not be repeatable: they only keep clients from coming back in step.
    return ModelClient(providers, jitter=SystemRandom().random, connections=http)
