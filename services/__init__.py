"""One folder a service; each runs as a process of its own and imports no other."""
