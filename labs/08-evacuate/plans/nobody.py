"""Moves nobody."""


def waves(guests, link, cap, deadline):
    return []
