"""A scenario file's JSON schema, for editors: ``scenario_schema`` is the whole; ``matrix_schema``, ``named_schema`` and
``patterns`` are its parts.
"""
