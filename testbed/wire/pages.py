"""What a table of ``Pages`` has to be before a byte of memory is touched for it."""

import numpy as np

from testbed.core.errors import RemoteProtocolError
from testbed.wire.messages import MAX_PAGES_BYTES, Pages


def check_pages(pages: Pages, ram_bytes: int, page_size: int) -> None:
    """Raises ``RemoteProtocolError`` unless the extents are whole pages inside that memory, in rising order, none
    twice, and not too many.
    """
    offsets, lengths = pages.extents.table[:, 0], pages.extents.table[:, 1]
    limit = np.uint64(ram_bytes)
    if (lengths == 0).any() or (lengths > limit).any() or (offsets > limit - lengths).any():
        raise RemoteProtocolError(f"PAGES reaches outside a memory of {ram_bytes} bytes")
    if ((offsets | lengths) % np.uint64(page_size)).any():
        raise RemoteProtocolError(f"PAGES is not of whole pages of {page_size} bytes")
    if (offsets[1:] < offsets[:-1] + lengths[:-1]).any():
        raise RemoteProtocolError("PAGES has extents that overlap or are out of order")
    if pages.extents.size > MAX_PAGES_BYTES:
        raise RemoteProtocolError(f"PAGES announces {pages.extents.size} bytes, more than {MAX_PAGES_BYTES}")
