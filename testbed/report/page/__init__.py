"""A run's page: ``figures`` says which charts it has, ``page`` gathers it into its ``model``, ``html`` writes it."""
