"""The gateway's read model: folded from the log, in a schema of its own, disposable and rebuilt at will."""
