"""Moving a running guest: the algorithm, which is pure, and the two agents that carry it out over real TCP."""
