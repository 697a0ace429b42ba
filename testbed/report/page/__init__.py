"""A run's page: ``figures`` says which charts it has, ``page`` gathers it, ``html`` writes it."""
