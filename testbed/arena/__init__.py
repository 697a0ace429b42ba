"""Policies against guests they have not seen."""
