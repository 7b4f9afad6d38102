"""Where things are and how long to wait for them; the only reader of the environment. Holds no policy.

Every field is an environment variable with the prefix ``GRISTMILL_``; a model provider's own variables keep the
names that its users know. One YAML file may hold the same settings by their names here; the environment wins over it.
Times are in seconds.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit, urlunsplit

from pydantic import (
    AliasChoices,
    BeforeValidator,
    Field,
    SecretStr,
    StringConstraints,
    ValidationError,
)
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from contracts.message import TENANT_PATTERN
from shared.api_keys import hashes_of
from shared.errors import GristmillError
from shared.settings_file import VARIABLE, read_settings_file, settings_file, suggestion

PREFIX = "GRISTMILL_"
OF_TESTS = "GRISTMILL_TEST_"
"""Variables that steer tests and no service."""


def _hashed(value: object) -> object:
    """Plain keys are hashed as soon as they are read: text with commas, or a list, which may be written as JSON."""
    if isinstance(value, str) and value.lstrip().startswith("["):
        value = json.loads(value)
    if isinstance(value, list | tuple):
        value = ",".join(str(each) for each in value)
    return hashes_of(value) or None if isinstance(value, str) else value


Hashes = Annotated[tuple[SecretStr, ...] | None, NoDecode, BeforeValidator(_hashed)]


Port = Annotated[int, Field(ge=0, le=65535)]
Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Settings(BaseSettings):
    model_config = SettingsConfigDict(
        env_prefix="GRISTMILL_",
        extra="ignore",
        frozen=True,
        populate_by_name=True,
        hide_input_in_errors=True,
    )

    nats_url: SecretStr = SecretStr("nats://127.0.0.1:4222")
    """With this service's user and password in it."""
    database_url: SecretStr | None = None
    """With this service's role in it; None for services that have no database."""
    data: Path = Path(".gristmill")
    """Folder of blobs, and of the embedded servers' files."""
    tenant: Annotated[str, StringConstraints(pattern=TENANT_PATTERN)] = "default"
    host: str = "127.0.0.1"
    port: Port = 8000
    """Of the gateway."""
    api_keys: Annotated[
        Hashes, Field(validation_alias=AliasChoices("GRISTMILL_API_KEYS", "COMPILEO_API_KEYS"))
    ] = None
    """SHA-256 of each key that the gateway takes, separated by commas where they are said; None: it asks for none."""
    api_key: Annotated[
        Hashes, Field(validation_alias=AliasChoices("GRISTMILL_API_KEY", "COMPILEO_API_KEY"))
    ] = None
    """One more; the terminal sends it."""
    rate_limit: int | None = Field(default=None, ge=0)
    """Requests per client address in ``rate_window``; 0: no limit; None: 200, and none on loopback without keys."""
    rate_window: Seconds = 60.0
    cors_origins: Annotated[
        str, Field(validation_alias=AliasChoices("GRISTMILL_CORS_ORIGINS", "CORS_ORIGINS"))
    ] = "http://localhost:3000,http://localhost:8080"
    """Web pages from there may call the gateway; separated by commas."""
    health_host: str = "127.0.0.1"
    health_port: Port = 0
    """Of this service's ``/healthz``, ``/readyz`` and ``/metrics``; 0: none."""
    workers: int = Field(default=2, ge=1, le=64)
    """Processes for CPU-bound work inside one service."""
    replicas: str | None = Field(default=None, max_length=200)
    """Services of which ``up`` starts several processes: ``generate=2,ledger=2``; None: one of each."""

    ocr_languages: str = "eng"
    """Of texts in pictures, as Tesseract names them and joined by ``+``; their data must be on the machine."""
    fetch_allow: str | None = None
    """Hosts and networks outside the public network that may be fetched from, parted by commas; None: none."""
    fetch_timeout: Seconds = 120.0
    """Of one document that is fetched from the web, from request to last byte."""

    ack_wait: Seconds = 10.0
    beat: Seconds = 2.0
    deadline: Seconds = 8.0
    """A unit that no beat has named for this long is issued again."""
    stall: Seconds = 60.0
    """A process whose event loop has not turned for this long ends itself; it is started anew."""
    most_jobs: int = Field(default=1000, ge=1)
    """Jobs that a tenant may have open at once; one more is refused (429)."""
    most_queued_bytes: int = Field(default=50_000_000_000, ge=1)
    """Of a tenant's documents that no job has processed yet; an upload beyond that is refused (429)."""
    least_free: int = Field(default=500_000_000, ge=0)
    """Bytes of the data folder's disk that are kept free: jobs wait for space before it is filled further."""
    most_database: int | None = Field(default=None, ge=1)
    """Bytes that the database may take, where it has a limit of its own; jobs wait for space at 80 % of it."""
    blob_grace: float = Field(default=86400.0, ge=0, allow_inf_nan=False)
    """Blobs that nothing names are removed when they were put longer ago than that; 0: they are kept."""
    leadership: Seconds = 3.0
    request_wait: Seconds = 2.0
    """How long the gateway waits for the ledger to record a request."""
    upload_idle: Seconds = 30.0
    """How long the gateway waits for the next piece of an upload,"""
    upload_time: Seconds = 1800.0
    """and how long an upload may take in all."""

    s3_endpoint: Annotated[
        str | None, Field(validation_alias=AliasChoices("GRISTMILL_S3_ENDPOINT", "S3_ENDPOINT"))
    ] = None
    """Of an S3 server that holds the blobs; None: they lie in the folder ``data``."""
    s3_bucket: Annotated[
        str, Field(validation_alias=AliasChoices("GRISTMILL_S3_BUCKET", "S3_BUCKET"))
    ] = "gristmill"
    s3_region: Annotated[
        str, Field(validation_alias=AliasChoices("GRISTMILL_S3_REGION", "S3_REGION"))
    ] = "us-east-1"
    s3_access_key: Annotated[
        SecretStr | None,
        Field(validation_alias=AliasChoices("GRISTMILL_S3_ACCESS_KEY", "S3_ACCESS_KEY")),
    ] = None
    s3_secret_key: Annotated[
        SecretStr | None,
        Field(validation_alias=AliasChoices("GRISTMILL_S3_SECRET_KEY", "S3_SECRET_KEY")),
    ] = None
    log_format: Literal["json", "console"] | None = None
    """None: words on a terminal, JSON elsewhere."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    otlp_endpoint: Annotated[
        SecretStr | None,
        Field(
            validation_alias=AliasChoices("GRISTMILL_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
        ),
    ] = None
    """Base URL of an OTLP/HTTP collector that takes traces; None: no traces."""
    trace_ratio: float = Field(default=1.0, ge=0, le=1)
    """Of the traces that begin here, the part that is sent."""

    default_model: str | None = None
    """``provider/model`` for jobs that name none; None: the built-in model."""
    openai_base_url: Annotated[
        str | None,
        Field(validation_alias=AliasChoices("GRISTMILL_OPENAI_BASE_URL", "OPENAI_BASE_URL")),
    ] = None
    openai_api_key: Annotated[
        SecretStr | None,
        Field(validation_alias=AliasChoices("GRISTMILL_OPENAI_API_KEY", "OPENAI_API_KEY")),
    ] = None
    model_timeout: Seconds = 120.0
    """Of one model call, from request to last byte."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the library's signature
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the library's signature
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What is given wins over the environment, the environment over the file, the file over the defaults."""
        path = settings_file(os.environ)
        if path is None:
            return init_settings, env_settings
        given = {}
        for name, value in read_settings_file(path, cls.model_fields).items():
            known = variables(name, cls.model_fields[name])
            # A setting of several variables is found by the first of them, so the file must keep out of the way.
            if not _is_set(known, os.environ):
                given[known[0] if cls.model_fields[name].validation_alias else name] = _flat(value)
        return init_settings, env_settings, InitSettingsSource(settings_cls, given)

    @property
    def key_hashes(self) -> tuple[str, ...]:
        """Of every key that opens the gateway; empty: it is open."""
        known = (*(self.api_keys or ()), *(self.api_key or ()))
        return tuple(dict.fromkeys(each.get_secret_value() for each in known))

    def required_database_url(self) -> str:
        """Raise ``GristmillError`` where the service was given no database."""
        if self.database_url is None:
            raise GristmillError(
                "setting_missing",
                "GRISTMILL_DATABASE_URL is not set; it names the database with this service's role.",
            )
        return self.database_url.get_secret_value()


Origin = Literal["default", "file", "environment", "flag"]


@dataclass(frozen=True, slots=True)
class Explained:
    """One setting as it holds, without its secrets, and where its value came from."""

    name: str
    variable: str
    value: str
    origin: Origin


def variables(name: str, field: FieldInfo) -> tuple[str, ...]:
    """The environment variables that set a setting, the strongest first."""
    match field.validation_alias:
        case AliasChoices() as alias:
            return tuple(str(choice) for choice in alias.choices)
        case None:
            return (f"{PREFIX}{name.upper()}",)
        case other:
            return (str(other),)


def load_settings(**flags: Any) -> Settings:
    """The settings of this process; ``flags`` win over everything, those that are None were not given.

    Raises:
        GristmillError: ``setting_invalid`` or ``setting_unknown``, naming the setting and where it stands.
    """
    given = {name: value for name, value in flags.items() if value is not None}
    try:
        return Settings(**given)
    except ValidationError as problem:
        first = problem.errors(include_url=False, include_input=False)[0]
        where = str(first["loc"][0]) if first["loc"] else ""
        name = next(
            (n for n, f in Settings.model_fields.items() if where in (n, *variables(n, f))), where
        )
        raise GristmillError("setting_invalid", f"{_place(name, given)}: {first['msg']}.") from None


def check_environment(environ: Mapping[str, str]) -> None:
    """Raise ``GristmillError`` (setting_unknown) for a variable with our prefix that sets nothing.

    Commands call it; services do not, so that a service of another version runs in the same environment.
    """
    known = {VARIABLE, *(v for n, f in Settings.model_fields.items() for v in variables(n, f))}
    for name in sorted(environ):
        if name.startswith(PREFIX) and name not in known and not name.startswith(OF_TESTS):
            raise GristmillError(
                "setting_unknown",
                f"{name} is set in the environment, but there is no such setting{suggestion(name, known)}",
            )


def as_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """``environ`` with what the settings file says, and without the file: for processes that get only their own part.

    A list is written with commas, as the environment has it.
    """
    path = settings_file(environ)
    written = read_settings_file(path, Settings.model_fields) if path else {}
    found = {name: value for name, value in environ.items() if name != VARIABLE}
    for name, value in written.items():
        known = variables(name, Settings.model_fields[name])
        if not _is_set(known, environ):
            flat = _flat(value)
            found[known[0]] = flat if isinstance(flat, str) else json.dumps(flat)
    return found


def _flat(value: object) -> object:
    """A list of words as the environment has it, with commas: no setting takes lists otherwise."""
    return ",".join(map(str, value)) if isinstance(value, list) else value


def explain_settings(
    settings: Settings, environ: Mapping[str, str], **flags: Any
) -> list[Explained]:
    """Each setting as it holds, in the order in which they are declared; secrets are masked."""
    path = settings_file(environ)
    written = read_settings_file(path, Settings.model_fields) if path else {}
    explained = []
    for name, field in Settings.model_fields.items():
        known = variables(name, field)
        value = _masked(getattr(settings, name))
        explained.append(
            Explained(name, known[0], value, _origin(name, known, environ, written, flags))
        )
    return explained


def _origin(
    name: str,
    known: tuple[str, ...],
    environ: Mapping[str, str],
    written: Mapping[str, Any],
    flags: Mapping[str, Any],
) -> Origin:
    if flags.get(name) is not None:
        return "flag"
    if _is_set(known, environ):
        return "environment"
    return "file" if name in written else "default"


def _is_set(known: tuple[str, ...], environ: Mapping[str, str]) -> bool:
    upper = {each.upper() for each in environ}
    return any(variable.upper() in upper for variable in known)


def _place(name: str, flags: Mapping[str, Any]) -> str:
    if name not in Settings.model_fields:
        return name
    known = variables(name, Settings.model_fields[name])
    path = settings_file(os.environ)
    written = read_settings_file(path, Settings.model_fields) if path else {}
    match _origin(name, known, os.environ, written, flags):
        case "flag":
            return f"--{name.replace('_', '-')}"
        case "file":
            return f"{path}: {name}"
        case _:
            return next((each for each in known if each in os.environ), known[0])


def _masked(value: object) -> str:
    match value:
        case None:
            return "none"
        case SecretStr():
            return _without_password(value.get_secret_value())
        case tuple() | list() | frozenset() | set():
            return ", ".join(_masked(each) for each in value) or "none"
        case bool():
            return str(value).lower()
        case float():
            return f"{value:g}"
        case _:
            return str(value)


def _without_password(secret: str) -> str:
    """A URL without its password; any other secret as stars that do not even tell its length."""
    parts = urlsplit(secret)
    if not parts.scheme or not parts.hostname:
        return "********" if secret else "none"
    where = parts.netloc.rpartition("@")[2]
    who = f"{parts.username}:********@" if parts.password else ""
    return urlunsplit((parts.scheme, f"{who}{where}", parts.path, "", ""))
