"""Judges entries, admits them in log order, plans what is still to be asked, closes datasets with their figures.

Hears: ``CurateEntries``, ``AdmitEntries``, ``ExtendGeneration``, ``CloseDataset``.
Says: ``EntriesCurated``, ``EntriesAdmitted``, ``GenerationExtended``, ``DatasetCompleted``, ``UnitFailed``.
Never: calls a model, or writes to the database.
"""
