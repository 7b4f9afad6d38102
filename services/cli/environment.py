"""What a service finds in its environment: its own addresses and passwords, and no secret that it has no use for.

Pure: the environment of this process comes in as an argument.
"""

import re
from collections.abc import Mapping

from shared.api_keys import MARK
from shared.settings import Settings

CALLS_MODELS = frozenset({"gateway", "generate"})
ROLES: Mapping[str, str] = {
    "gateway": "gateway",
    "ledger": "ledger",
    "curate": "reader",
    "export": "reader",
}
"""The database role of each service that has one; the others have no access at all."""

SECRET = re.compile(r"API_?KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIAL", re.IGNORECASE)
KEYS = ("GRISTMILL_API_KEY", "COMPILEO_API_KEY", "GRISTMILL_API_KEYS", "COMPILEO_API_KEYS")
"""Keys of the gateway: the terminal's own first. No service is told one; the gateway is given their hashes."""
OURS = frozenset({"GRISTMILL_NATS_URL", "GRISTMILL_DATABASE_URL", *KEYS})
BLOBS = re.compile(r"(GRISTMILL_)?S3_(ENDPOINT|BUCKET|REGION|ACCESS_KEY|SECRET_KEY)")


def environment(
    service: str, inherited: Mapping[str, str], given: Mapping[str, str]
) -> dict[str, str]:
    """The inherited environment without what is not for this service, and what it is given on top.

    Settings such as ``GRISTMILL_ACK_WAIT`` pass through; a model provider's keys only to those that call models.
    """
    kept = {
        name: value
        for name, value in inherited.items()
        if name not in OURS
        and not BLOBS.fullmatch(name)
        and (service in CALLS_MODELS or not SECRET.search(name))
    }
    # What a service says last before it is killed must not be lost in a buffer.
    return {**kept, "PYTHONUNBUFFERED": "1", **given}


def of_blobs(settings: Settings) -> dict[str, str]:
    """The variables that lead every service to the S3 server of these settings, with a secret among them.

    Empty where the blobs lie in the data folder.
    """
    access, secret = settings.s3_access_key, settings.s3_secret_key
    if settings.s3_endpoint is None or access is None or secret is None:
        return {}
    return {
        "GRISTMILL_S3_ENDPOINT": settings.s3_endpoint,
        "GRISTMILL_S3_BUCKET": settings.s3_bucket,
        "GRISTMILL_S3_REGION": settings.s3_region,
        "GRISTMILL_S3_ACCESS_KEY": access.get_secret_value(),
        "GRISTMILL_S3_SECRET_KEY": secret.get_secret_value(),
    }


def own_key(environ: Mapping[str, str]) -> str | None:
    """The API key that the terminal sends; None where only hashes are known, or nothing is."""
    for name in KEYS:
        for key in environ.get(name, "").strip("[]").split(","):
            plain = key.strip(' "')
            if plain and not plain.startswith(MARK):
                return plain
    return None
