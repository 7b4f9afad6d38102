"""What a dataset is made from, as it is typed: files, and addresses of the web. Opens neither."""

from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit


@dataclass(frozen=True, slots=True)
class Web:
    """An address that the gateway's mill fetches."""

    url: str

    @property
    def stem(self) -> str:
        """What a dataset of it may be called."""
        parts = urlsplit(self.url)
        return PurePosixPath(unquote(parts.path)).stem or parts.hostname or "web"


Source = Path | Web


def source_of(word: str) -> Source:
    """A word that begins like an address is one, all others are files."""
    return Web(word) if word.lower().startswith(("http://", "https://")) else Path(word)
