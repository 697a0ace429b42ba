"""What a run writes of a migration, as values: ``migration`` is the record, the others its parts."""
