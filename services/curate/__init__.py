"""The service that judges entries, admits them in order, plans further rounds and closes datasets.

Hears CurateEntries, AdmitEntries, ExtendGeneration, CloseDataset. Says EntriesCurated, EntriesAdmitted,
GenerationExtended, DatasetCompleted. Never changes an entry, never calls a model, never drops one without a reason.
"""
