"""Cuts parsed texts into chunks.

Hears: ``ChunkDocument``. Says: ``DocumentChunked``, ``DocumentRejected``. Never: changes a text, or reads a database.
"""
