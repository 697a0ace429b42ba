"""The kernel's memory: a guest's pages with a descriptor, who wrote them, and how much there may still be.

memfd ─── memory with a descriptor            userfaultfd ─ writes that are seen, or wait
pagemap ─ which pages were written            room ──────── how much a run may have
pages ─── how large the kernel's are
"""
