"""A scenario file's JSON schema, for editors: ``scenario_schema`` is the whole, the others its parts."""
