"""One file a topic: how it is asked for and what becomes of the answers."""
