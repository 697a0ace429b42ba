"""The connections that carry pages: ``sockets`` makes them, ``sending`` and ``receiving`` are their ends."""
