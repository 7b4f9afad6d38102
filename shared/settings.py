"""Where things are and how long to wait for them; the only reader of the environment. Holds no policy.

Every field is an environment variable with the prefix ``GRISTMILL_``; a model provider's own variables keep the
names that its users know. Times are in seconds.
"""

from pathlib import Path
from typing import Annotated

from pydantic import AliasChoices, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.errors import GristmillError


class Settings(BaseSettings):
    model_config = SettingsConfigDict(
        env_prefix="GRISTMILL_", extra="ignore", frozen=True, populate_by_name=True
    )

    nats_url: SecretStr = SecretStr("nats://127.0.0.1:4222")
    """With this service's user and password in it."""
    database_url: SecretStr | None = None
    """With this service's role in it; None for services that have no database."""
    data: Path = Path(".gristmill")
    """Folder of blobs, and of the embedded servers' files."""
    tenant: str = "default"
    host: str = "127.0.0.1"
    port: int = 8000
    """Of the gateway."""
    health_port: int = 0
    """Of this service's ``/healthz`` and ``/readyz`` on loopback; 0: none."""
    workers: int = Field(default=2, ge=1, le=64)
    """Processes for CPU-bound work inside one service."""

    ack_wait: float = 10.0
    beat: float = 2.0
    deadline: float = 8.0
    """A unit that no beat has named for this long is issued again."""
    leadership: float = 3.0
    request_wait: float = 2.0
    """How long the gateway waits for the ledger to record a request."""

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
    model_timeout: float = 120.0
    """Of one model call, from request to last byte."""

    def required_database_url(self) -> str:
        """Raise ``GristmillError`` where the service was given no database."""
        if self.database_url is None:
            raise GristmillError(
                "setting_missing",
                "GRISTMILL_DATABASE_URL is not set; it names the database with this service's role.",
            )
        return self.database_url.get_secret_value()
