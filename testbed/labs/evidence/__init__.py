"""What a check sees (``seen``): parameters, answers and records; and how it says no (``refusals``)."""
