"""Makes forks of a warm Python cheap: its memory in huge pages, for which a fork copies one entry, not 512.

Most of what a fork of a large process costs is copying its page tables. The kernel joins the pages of a
zygote once, when everything has been imported; a fork that writes to one of them gets a copy of 4 KiB of
it, as always. Where a kernel does not know how (before Linux 6.1), forks cost what they cost.
"""

import ctypes
import os
import resource

HUGE_BYTES = 2 * 2**20
MADV_COLLAPSE = 25
WORTH_IT = 0.75  # of a huge page must be in use already, for the rest is taken from the host

_PAGE_BYTES = resource.getpagesize()
_libc = ctypes.CDLL(None, use_errno=True)


def join_pages() -> int:
    """Put this process's private memory into huge pages; returns how many it has got."""
    joined = 0
    try:
        pagemap = os.open("/proc/self/pagemap", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return 0
    try:
        for start, end in _private_regions():
            for address in range(-(-start // HUGE_BYTES) * HUGE_BYTES, end, HUGE_BYTES):
                if address + HUGE_BYTES <= end and _in_use(pagemap, address) >= WORTH_IT:
                    joined += _collapse(address)
    finally:
        os.close(pagemap)
    return joined


def _private_regions() -> list[tuple[int, int]]:
    """Where the heap and the anonymous mappings of this process lie."""
    regions = []
    with open("/proc/self/maps") as maps:
        for line in maps:
            fields = line.split()
            if fields[1] == "rw-p" and (len(fields) == 5 or fields[5] == "[heap]"):
                start, end = fields[0].split("-")
                regions.append((int(start, 16), int(end, 16)))
    return regions


def _in_use(pagemap: int, address: int) -> float:
    """The share of a huge page's small pages that are in memory."""
    entries = os.pread(pagemap, 8 * HUGE_BYTES // _PAGE_BYTES, 8 * (address // _PAGE_BYTES))
    return sum(top >> 7 for top in entries[7::8]) * _PAGE_BYTES / HUGE_BYTES


def _collapse(address: int) -> bool:
    size = ctypes.c_size_t(HUGE_BYTES)
    return bool(_libc.madvise(ctypes.c_void_p(address), size, MADV_COLLAPSE) == 0)
