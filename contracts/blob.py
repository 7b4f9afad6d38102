"""References to bytes kept apart from messages. Never the bytes themselves."""

from typing import Annotated

from pydantic import Field, StringConstraints

from contracts.message import Message

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class BlobRef(Message):
    """Bytes in the blob store, by content: key ``<tenant>/<kind>/<sha256>``."""

    kind: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,30}$")]
    sha256: Sha256
    size: int = Field(ge=0)
    media: str = "application/octet-stream"

    def key(self, tenant: str) -> str:
        return f"{tenant}/{self.kind}/{self.sha256}"
