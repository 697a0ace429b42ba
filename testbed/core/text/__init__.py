"""Text that anybody may have written: made ``printable``, read within bounds, and what was ``meant`` by it.

yaml_text, from_json, json_lines ─ read strictly       quantity ─ numbers with units
nearest ─ did you mean ...?
foreign ─ what another program said                    label ──── a migration's name
"""
