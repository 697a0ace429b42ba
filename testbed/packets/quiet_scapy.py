"""scapy with less said and no cache where none can be: imported before anything of scapy's.

It warns of libraries that building frames does not need, and ends with a traceback where it may look for its cache
(~/.cache/scapy) and may not read it: a HOME of somebody else's, as without root.
"""

import logging

logging.getLogger("scapy.runtime").setLevel(logging.ERROR)

import scapy.main  # noqa: E402


def cache_or_none() -> None:
    """From here on scapy does without its cache, if it cannot so much as look into it."""
    folder = scapy.main.SCAPY_CACHE_FOLDER
    try:
        if folder is not None:
            (folder / "services.pickle").exists()
    except OSError:
        scapy.main.SCAPY_CACHE_FOLDER = None


cache_or_none()
