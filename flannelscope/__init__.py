"""The engine: what is true of a flannel network, what is wrong with it, and what to do. No user interface lives here."""

__version__ = "0.1.0"
