"""Who moves when. All of a wave move at once; the next wave begins when all of the one before are over."""


def waves(guests, link, cap, deadline):
    """Names of guests, a list for each wave. ``guests``: name, ram (MB), write (MB/s); link, cap: MB/s; deadline: s."""
    return [[guest["name"] for guest in guests]]
