"""Descriptors of a test's process: none left, no child either, and room for more than who logs in has (1,024)."""

import gc
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager

import psutil


@contextmanager
def nothing_stays() -> Iterator[None]:
    """When it is left there is no child process, and each descriptor is as it was."""
    gc.collect()  # what tests before have left to be collected shall not go meanwhile
    gc.freeze()  # nor is what stays looked at anew for each test of many
    before = sorted(os.listdir("/proc/self/fd"))
    yield
    assert psutil.Process().children() == []
    assert sorted(os.listdir("/proc/self/fd")) == before


@contextmanager
def room_for_many(many: int = 4096) -> Iterator[None]:
    """For this process, until it is left; as many as its hard limit lets it have."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (many if hard == resource.RLIM_INFINITY else min(many, hard), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
