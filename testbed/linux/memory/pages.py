"""The kernel's page size. A guest's pages are 4 KiB, and who wrote one is known by the kernel's: they must be the same.

Kernels for x86_64 have no other. Those for arm64 are built for 4 KiB (Debian, Ubuntu, and all virtual machines of
Apple's computers), 16 KiB (Asahi, a Raspberry Pi 5) or 64 KiB (Red Hat's and Ubuntu's `-64k`).
"""

import os

from testbed.core.errors import PrerequisiteMissing
from testbed.core.units import PAGE_SIZE

REMEDY = "use a kernel with pages of 4 KiB: Debian's linux-image-arm64, Ubuntu's linux-generic, or a virtual machine"


def kernel_page_bytes() -> int:
    """Bytes of a page of this kernel."""
    return os.sysconf("SC_PAGE_SIZE")


def require_page_size() -> None:
    """Raises ``PrerequisiteMissing`` where a guest's page is only a part of the kernel's."""
    if (size := kernel_page_bytes()) != PAGE_SIZE:
        raise PrerequisiteMissing(
            f"this kernel's pages are {size >> 10} KiB, and a guest's are {PAGE_SIZE >> 10}", REMEDY
        )
