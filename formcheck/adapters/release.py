"""Gives memory that is free again back to the system."""

from __future__ import annotations

import ctypes
import gc
import sys


def give_back() -> None:
    """Let the allocator return what it holds for later; does nothing where it has no such call.

    The pose network and its pictures leave over 100 MB that glibc would keep. Whatever comes next (drawing, the plots'
    engine) would lie on top of it, and the peak of the two would be the sum instead of the larger one.
    """
    gc.collect()
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc has it, musl does not
        if trim is not None:
            trim(0)
