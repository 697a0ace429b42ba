"""scapy's cache is of no matter: where its folder may be seen and not read, frames are built all the same."""

from pathlib import Path

import pytest
import scapy.main

from testbed.packets.quiet_scapy import cache_or_none


def test_a_cache_that_may_not_be_read_is_done_without(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(_path: Path) -> bool:
        raise PermissionError

    monkeypatch.setattr(scapy.main, "SCAPY_CACHE_FOLDER", Path("/home/other/.cache/scapy"))
    cache_or_none()
    assert scapy.main.SCAPY_CACHE_FOLDER is not None
    monkeypatch.setattr(Path, "exists", refused)
    cache_or_none()
    assert scapy.main.SCAPY_CACHE_FOLDER is None
