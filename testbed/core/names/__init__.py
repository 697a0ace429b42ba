"""Modules of ours by their names: ``by_name`` imports them; ``catalogue`` reads what they define, and imports none."""
