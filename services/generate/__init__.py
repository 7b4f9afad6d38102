"""Plans what to ask of which passage, and asks models for entries.

Hears: ``PlanGeneration``, ``GenerateEntries``. Says: ``GenerationPlanned``, ``EntriesGenerated``, ``UnitFailed``.
Never: judges an entry, or reads a database.
"""
