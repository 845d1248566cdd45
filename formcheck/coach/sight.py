"""What is known of the whole picture, besides the one pose in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Sight:
    """What the looks at the picture agree on.

    Attributes
    ----------
    others_s : (float, float) or None
        When somebody besides the followed person was first and last seen; None when nobody else is there.
    turned : bool
        Whether people are found only when the picture is turned.
    """

    others_s: tuple[float, float] | None = None
    turned: bool = False


CLEAR: Final = Sight()
