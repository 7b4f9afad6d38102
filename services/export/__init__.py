"""Writes a closed dataset's accepted entries as files.

Hears: ``ExportDataset``.
Says: ``DatasetExported`` with the files in the blob store, or ``UnitFailed``.
Never: judges or changes an entry, orders files by arrival, writes the database.
"""
