"""Moves the first guest twice."""


def waves(guests, link, cap, deadline):
    return [[guest["name"]] for guest in [guests[0], *guests]]
