"""Slowing a guest down from outside: by its writes (SDPS, dirty limit), or by its processor time (auto-converge)."""
