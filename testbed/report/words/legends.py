"""What the headings of ``predict``'s tables mean, to stand below each table."""

from rich.text import Text


def _legend(*sentences: str) -> Text:
    return Text(" ".join(sentences), "dim")


FIGURES = _legend(
    "total: from the request until the guest runs at the destination; downtime: how long of that it stands still;",
    "sent/RAM: how often its memory crosses the link; dirty: how fast it dirties memory in round 1.",
    "At full size: what these stand for, not scaled down.",
)
CHANCE = _legend(
    "Which pages a guest happens to write decides how its migration goes. From to: what all replicas of it, drawn at",
    "random, lie between; -: nothing to speak of; end so: how many of them end as the one above does.",
)
LAWS = _legend(
    "rho: what the guest writes (D) by what is sent (B); from 1 on rounds do not get smaller by themselves.",
    "M/(B-D), rounds, downtime: of memory M if each write hits another page; uniform: the total time if writes are",
    "spread over the working set; plateau: what every round then leaves for rho above 1, and its downtime, the least",
    "there is without a throttle; -: there is none.",
)
FEASIBILITY = _legend(
    "In each field: the total time on a link of that rate, with that much downtime allowed, at real-world size."
)
