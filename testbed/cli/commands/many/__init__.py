"""Commands about many points: ``sweep``."""
