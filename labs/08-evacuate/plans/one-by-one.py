"""One after the other, the shortest first."""


def waves(guests, link, cap, deadline):
    order = sorted(guests, key=lambda guest: guest["ram"] / (cap - guest["write"]))
    return [[guest["name"]] for guest in order]
