"""Cuts parsed documents into chunks.

Hears: ``ChunkDocument``.
Says: ``DocumentChunked`` with a chunk table in the blob store, or ``DocumentRejected``.
Never: changes a text, calls a model, touches a database.
"""
