"""Ingest: bytes become text with its structure.

Hears ``ParseDocument``. Says ``DocumentParsed`` or ``DocumentRejected``. Never opens the database or a network address
of its own, and never lets a file's content run in its own process: parsing happens in limited child processes.
"""
