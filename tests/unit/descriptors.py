"""Room for more descriptors than a Debian gives who logs in, which are 1,024."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def room_for_many(many: int = 4096) -> Iterator[None]:
    """For this process, until it is left; as many as its hard limit lets it have."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (many if hard == resource.RLIM_INFINITY else min(many, hard), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
