"""Two at once, those that take the shortest time first."""


def waves(guests, link, cap, deadline):
    share = min(cap, link / 2)
    those = [guest for guest in guests if guest["write"] < share]
    order = sorted(those, key=lambda guest: guest["ram"] / (share - guest["write"]))
    names = [guest["name"] for guest in order]
    return [names[at : at + 2] for at in range(0, len(names), 2)]
