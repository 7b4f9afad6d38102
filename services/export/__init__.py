"""Writes datasets as files.

Hears: ``ExportDataset``. Says: ``DatasetExported``, ``UnitFailed``. Never: changes an entry, or writes to the database.
"""
