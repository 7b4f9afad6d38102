"""Ingest: what lies somewhere becomes bytes, and bytes become text with its structure.

Hears ``FetchDocument``, ``DivideDocument``, ``ParseDocument``. Says ``DocumentFetched``, ``DocumentDivided``,
``DocumentParsed`` or ``DocumentRejected``. Never opens the database, connects to no address that was not checked, and
never lets a file's content run in its own process: parsing and cutting happen in limited child processes.
"""
