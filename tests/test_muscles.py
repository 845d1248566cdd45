"""The relative muscle lengths, against a worked example and a public musculoskeletal geometry."""

from __future__ import annotations

import math

import numpy as np
import pytest

from formcheck.muscles import GASTROCNEMIUS, HAMSTRINGS, at_turn, change_from_standing

# Change from standing in mm, of an adult, from a public geometry: (hip, knee, ankle) -> hamstrings, gastrocnemius.
GEOMETRY = {
    "hinge": ((90, 15, 5), 81, -2),
    "stiff-leg reach": ((110, 0, 0), 100, 0),
    "long sitting, toes back": ((90, 0, 15), 90, 12),
    "calf stretch, straight knee": ((-10, 0, 25), -9, 19),
    "calf stretch, bent knee": ((-10, 40, 30), -35, 7),
    "prone curl, toes pointed": ((0, 110, -30), -59, -55),
    "prone curl, toes pulled up": ((0, 110, 10), -59, -22),
    "seated curl": ((90, 90, 0), 31, -30),
}


def change(muscles: tuple, angles: tuple[float, float, float]) -> float:
    hip, knee, ankle = angles
    return float(change_from_standing(muscles, hip_deg=hip, knee_deg=knee, dorsiflexion_deg=ankle))


def test_standing_is_no_change() -> None:
    assert change(HAMSTRINGS, (0, 0, 0)) == 0.0
    assert change(GASTROCNEMIUS, (0, 0, 0)) == pytest.approx(0.0, abs=1e-12)


def test_worked_by_hand() -> None:
    # (0.1791 - 0.0333) / 1.027, (0.1863 - 0.0267) / 0.987 and (0.1881 - 0.024) / 1.048, their mean
    assert change(HAMSTRINGS, (90, 15, 5)) == pytest.approx(100 * (0.14197 + 0.16170 + 0.15658) / 3, abs=0.01)
    # standing: 0.900 + 0.1926 and 0.894 + 0.1926; 15 deg of dorsiflexion adds 0.0321 to each
    assert change(GASTROCNEMIUS, (90, 0, 15)) == pytest.approx(100 * (0.02938 + 0.02954) / 2, abs=0.01)


@pytest.mark.parametrize(("muscles", "column"), [(HAMSTRINGS, 1), (GASTROCNEMIUS, 2)])
def test_positions_come_in_the_order_of_a_public_geometry(muscles: tuple, column: int) -> None:
    ours = [change(muscles, row[0]) for row in GEOMETRY.values()]
    theirs = [row[column] for row in GEOMETRY.values()]
    assert np.corrcoef(ours, theirs)[0, 1] > 0.9


def test_arrays_keep_their_shape_and_what_is_not_known() -> None:
    hips = np.array([0.0, 45.0, math.nan])
    lengths = change_from_standing(HAMSTRINGS, hip_deg=hips, knee_deg=10.0)
    assert lengths.shape == (3,)
    assert lengths[0] < 0.0 < lengths[1]
    assert np.isnan(lengths[2])
    assert np.isfinite(change_from_standing(GASTROCNEMIUS, hip_deg=0.0, knee_deg=0.0, dorsiflexion_deg=20.0))


def test_where_the_stretch_goes_leaves_out_what_the_back_does() -> None:
    numbers = {
        "hip_flexion_at_turn_deg": 110.0,
        "hip_flexion_without_back_at_turn_deg": 80.0,
        "knee_flexion_at_turn_deg": 5.0,
        "ankle_dorsiflexion_at_turn_deg": 15.0,
    }
    found = at_turn(numbers)
    assert found["hamstrings_length_at_turn_percent"] == pytest.approx(change(HAMSTRINGS, (80, 5, 0)))
    assert found["calf_length_at_turn_percent"] == pytest.approx(change(GASTROCNEMIUS, (0, 5, 15)))
    unseen = at_turn({**numbers, "hip_flexion_without_back_at_turn_deg": math.nan})
    assert unseen["hamstrings_length_at_turn_percent"] == pytest.approx(change(HAMSTRINGS, (110, 5, 0)))
    assert math.isnan(at_turn({**numbers, "ankle_dorsiflexion_at_turn_deg": math.nan})["calf_length_at_turn_percent"])
