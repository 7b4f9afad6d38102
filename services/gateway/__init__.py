"""The public API. Hears: HTTP requests, the log. Says: requests (``GenerationRequested`` …) to the ledger.

Never: writes the ledger's schema, formats a dataset, calls a model, or answers from anything but its views and blobs.
"""
