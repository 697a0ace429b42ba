"""Fast Motion: a live-migration laboratory in a box."""

__version__ = "0.1.0"
