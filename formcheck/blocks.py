"""Rows of numbers that are added one by one and kept in blocks, the older ones outside of memory when there are many.

A block is filled before the next is made, so nothing is ever copied to make room.
"""

from __future__ import annotations

from typing import Any, Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import DTypeLike, NDArray

BLOCK = 1024  # rows: of poses about 40 s
KEPT = 12  # blocks in memory, where there is a shelf for the others: of poses about 8 minutes, 20 MB

Number = TypeVar("Number", bound=np.generic)


class Shelf(Protocol):
    """Keeps arrays outside of memory (`formcheck.adapters.spill.TemporaryShelf`)."""

    def put(self, array: NDArray[Any]) -> int:
        """Take an array; returns the key under which `get` gives it back."""

    def get(self, key: int) -> NDArray[Any]:
        """A new copy of an array."""


class Rows(Generic[Number]):
    """Rows of one shape.

    Parameters
    ----------
    shape : tuple of int
        Of a row.
    dtype : dtype
    fill : float
        What a row holds that was never set.
    shelf : Shelf or None
        Where the oldest blocks go once there are more than `KEPT`; None keeps all of them in memory.
    """

    __slots__ = ("_blocks", "_count", "_dtype", "_fill", "_key", "_shape", "_shelf", "_shelved", "_taken")

    def __init__(self, shape: tuple[int, ...], dtype: DTypeLike, fill: float, shelf: Shelf | None = None) -> None:
        self._shape, self._dtype, self._fill, self._shelf = shape, np.dtype(dtype), fill, shelf
        self._blocks: list[NDArray[Number] | int] = []  # an array, or its key on the shelf
        self._shelved = 0  # blocks, the oldest ones
        self._count = 0
        self._key = -1
        self._taken: NDArray[Number] | None = None  # the block that was last taken from the shelf

    def __len__(self) -> int:
        return self._count

    def place(self, row: int) -> NDArray[Number]:
        """The row to be set, which lies after all that were set before; rows between them keep the fill.

        Raises
        ------
        IndexError
            When it lies before one that was set.
        """
        if row < self._count:
            raise IndexError(f"row {row} lies before row {self._count - 1}, which was set already")
        self._count = row + 1
        while len(self._blocks) * BLOCK <= row:
            self._blocks.append(np.full((BLOCK, *self._shape), self._fill, dtype=self._dtype))
            self._shelve()
        block = self._blocks[-1]
        assert not isinstance(block, int)
        return np.asarray(block[row % BLOCK])

    def _shelve(self) -> None:
        while self._shelf is not None and len(self._blocks) - self._shelved > KEPT:
            block = self._blocks[self._shelved]
            assert not isinstance(block, int)
            self._blocks[self._shelved] = self._shelf.put(block)
            self._shelved += 1

    def row(self, row: int) -> NDArray[Number]:
        """One row; to be read only. One that was never set holds the fill."""
        if row >= self._count:
            return np.full(self._shape, self._fill, dtype=self._dtype)
        return np.asarray(self._block(row // BLOCK)[row % BLOCK])

    def read(self, start: int, stop: int) -> NDArray[Number]:
        """Rows as a new array, shape (stop - start, *shape)."""
        rows = np.full((stop - start, *self._shape), self._fill, dtype=self._dtype)
        end = min(stop, self._count)
        for first in range(start - start % BLOCK, end, BLOCK):
            low, high = max(first, start), min(first + BLOCK, end)
            rows[low - start : high - start] = self._block(first // BLOCK)[low - first : high - first]
        return rows

    def _block(self, number: int) -> NDArray[Number]:
        block = self._blocks[number]
        if not isinstance(block, int):
            return block
        if self._taken is None or self._key != block:
            assert self._shelf is not None
            self._key, self._taken = block, self._shelf.get(block)
        return self._taken
