"""Hosts and links that are what the plan says: built, shaped, measured, and taken away without a trace."""
