"""Commands about many points: ``sweep``, and ``worker`` for those of others."""
