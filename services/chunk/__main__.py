"""Wires chunk: ``python -m services.chunk``."""

from services.chunk.app import work
from shared.service import serve, wired

if __name__ == "__main__":
    serve("chunk", wired(work))
