"""Everything said comes back: the example to copy. ``service`` and its ``client``."""
