"""The systematic error of the pose network's landmarks, and its removal from the angles.

The network puts hip, ankle, heel and toe not quite where the joints are, and by how much depends on posture and view
(EVIDENCE and `docs/accuracy.md` have the figures). The error of each near-side angle is learnt from clips with known
angles by kernel ridge regression on features of the landmarks that do not change when the picture is scaled, moved
or mirrored. A pose unlike everything that was learnt from gets no correction: the kernel falls to zero there.

`bias_model.npz` holds the poses that were learnt from with their errors and the body that each came from, so that
`load` can also leave one body out: that is how the published accuracy is measured. `benchmarks/fit_bias.py` makes it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from zipfile import BadZipFile

import numpy as np

from formcheck.errors import FormcheckError
from formcheck.geometry import angle_between, length, signed_angle
from formcheck.landmarks import Landmark, side_landmark
from formcheck.types import FloatArray, PoseTrack, Side
from formcheck.view import FRONT_VIEW_DEG, middle

MODEL_FILE = "bias_model.npz"
CORRECTED = ("knee_flexion_deg", "hip_flexion_deg", "ankle_dorsiflexion_deg", "trunk_inclination_deg")
YAW_COLUMN = len(CORRECTED)  # the last thing learnt: how wrong the estimate of the camera's turn is
MAX_YAW_CHANGE_DEG = 30.0
MAX_STANDARD = 3.5  # features further from the mean than this, in standard deviations, are taken as this far
FOOT_FEATURES = 11  # the last ones of `features`
FOOT_WEIGHT = 2.0  # the foot is small and its landmarks err most: likeness of two poses is likeness of their feet first
ROWS_AT_ONCE = 256  # bounds the memory of the kernel matrix: 7 MB a copy


@dataclass(frozen=True, slots=True)
class BiasModel:
    """Kernel ridge regression from landmark features to angle errors (m poses learnt from, f features).

    Attributes
    ----------
    support : ndarray, shape (m, f)
        Standardised features.
    weights : ndarray, shape (m, 5)
        One column per metric of `CORRECTED`, then the camera's yaw.
    mean, scale : ndarray, shape (f,)
    gamma : float
        Width of the kernel, per squared distance.
    """

    support: FloatArray
    weights: FloatArray
    mean: FloatArray
    scale: FloatArray
    gamma: float

    def predict(self, features: FloatArray) -> FloatArray:
        """True minus measured angle, degrees.

        Parameters
        ----------
        features : ndarray, shape (n, f)

        Returns
        -------
        ndarray, shape (n, 5)
            Columns as in `CORRECTED`, then the camera's yaw; NaN where a feature is NaN.
        """
        predicted = np.full((len(features), self.weights.shape[1]), np.nan)
        known = np.flatnonzero(np.isfinite(features).all(axis=1))
        for start in range(0, known.size, ROWS_AT_ONCE):
            rows = known[start : start + ROWS_AT_ONCE]
            standard = standardise(features[rows], self.mean, self.scale)
            predicted[rows] = kernel(standard, self.support, self.gamma) @ self.weights
        return predicted


def standardise(features: FloatArray, mean: FloatArray, scale: FloatArray) -> FloatArray:
    """Zero mean and unit spread, with far values brought in to `MAX_STANDARD` and the foot's weighing more."""
    weight = np.ones(features.shape[1])
    weight[-FOOT_FEATURES:] = FOOT_WEIGHT
    return np.asarray(weight * np.clip((features - mean) / scale, -MAX_STANDARD, MAX_STANDARD))


def spread(features: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Mean and standard deviation of each feature, the latter never zero."""
    return np.asarray(features.mean(axis=0)), np.asarray(features.std(axis=0) + 1e-6)


def kernel(first: FloatArray, second: FloatArray, gamma: float) -> FloatArray:
    """Gaussian kernel between rows: shape (len(first), len(second))."""
    squared = (first**2).sum(axis=1)[:, None] + (second**2).sum(axis=1)[None] - 2.0 * first @ second.T
    return np.asarray(np.exp(-gamma * np.maximum(squared, 0.0)))


def fit(features: FloatArray, errors: FloatArray, ridge: float, width: float) -> BiasModel:
    """Learn the errors.

    Parameters
    ----------
    features : ndarray, shape (m, f)
    errors : ndarray, shape (m, 5)
        True minus measured, degrees: `CORRECTED`, then the camera's yaw.
    ridge : float
        Weight of the penalty; larger is smoother.
    width : float
        Kernel width; gamma is `width` divided by the number of features.
    """
    mean, scale = spread(features)
    support = standardise(features, mean, scale)
    gamma = width / features.shape[1]
    penalised = kernel(support, support, gamma) + ridge * np.eye(len(support))
    weights: FloatArray = np.asarray(np.linalg.solve(penalised, errors), dtype=np.float64)
    return BiasModel(support, weights, mean, scale, gamma)


@cache
def load(left_out_body: str | None = None) -> BiasModel | None:
    """The shipped model, or the one learnt without one body.

    Parameters
    ----------
    left_out_body : str or None
        A body that no pose came from gives the shipped model.

    Raises
    ------
    FormcheckError
        When the file is damaged.
    """
    try:
        with (files("formcheck") / MODEL_FILE).open("rb") as stream, np.load(stream, allow_pickle=False) as data:
            features, errors = data["features"].astype(np.float64), data["errors"].astype(np.float64)
            bodies, (ridge, width) = data["bodies"], data["settings"]
            if left_out_body is not None and (bodies == left_out_body).any():
                kept = bodies != left_out_body
                return fit(features[kept], errors[kept], float(ridge), float(width))
            mean, scale = spread(features)
            support = standardise(features, mean, scale)
            weights: FloatArray = np.asarray(data["weights"], dtype=np.float64)
            return BiasModel(support, weights, mean, scale, float(width) / features.shape[1])
    except (OSError, ValueError, KeyError, BadZipFile) as error:
        raise FormcheckError(
            f"the landmark error model {MODEL_FILE} is damaged ({error}); reinstall formcheck"
        ) from error


def corrected(columns: dict[str, FloatArray], near_sign: FloatArray, errors: FloatArray) -> dict[str, FloatArray]:
    """Angles with the learnt error of the near side removed.

    Parameters
    ----------
    columns : mapping of column name to ndarray, shape (n,)
    near_sign : ndarray, shape (n,)
        1 right, -1 left, 0 unknown (left as it is).
    errors : ndarray, shape (n, 5)
        From `BiasModel.predict`; NaN removes nothing.
    """
    known = np.nan_to_num(errors)
    changed = dict(columns)
    for index, metric in enumerate(CORRECTED):
        if metric == "trunk_inclination_deg":
            changed[metric] = columns[metric] + np.where(near_sign == 0, 0.0, known[:, index])
            continue
        for side, sign in ((Side.RIGHT, 1.0), (Side.LEFT, -1.0)):
            name = f"{side.value}_{metric}"
            changed[name] = columns[name] + np.where(near_sign == sign, known[:, index], 0.0)
    return changed


def corrected_yaw(yaw_deg: FloatArray, errors: FloatArray) -> FloatArray:
    """The camera's turn with its learnt error removed, never below 0; a front view stays a front view."""
    change = np.clip(np.nan_to_num(errors[:, YAW_COLUMN]), -MAX_YAW_CHANGE_DEG, MAX_YAW_CHANGE_DEG)
    return np.where(yaw_deg > FRONT_VIEW_DEG, yaw_deg, np.maximum(yaw_deg + change, 0.0))


def features(track: PoseTrack, near_sign: FloatArray) -> FloatArray:
    """What the error is learnt from: shape (n, f); NaN where a landmark or the near side is unknown.

    Directions and lengths of the body's segments in a picture mirrored so that the right side faces the camera,
    lengths in units of trunk plus leg, joint angles of both legs, and the same bends and the turn of shoulders and
    hips from the world landmarks. What describes the foot comes last (`FOOT_FEATURES`).
    """
    sign = np.where(near_sign == 0, np.nan, near_sign)
    near = _side_points(track.image_px, near_sign)
    far = _side_points(track.image_px, -near_sign)
    space = _side_points(track.world_m, near_sign)
    mirror = np.stack([sign, np.ones_like(sign)], axis=1)
    shoulders, hips = middle(track, "SHOULDER"), middle(track, "HIP")
    trunk, thigh, shank = shoulders - hips, near["knee"] - near["hip"], near["ankle"] - near["knee"]
    foot = near["foot_index"] - near["heel"]
    size = (length(trunk) + length(thigh) + length(shank)) / 3
    size = np.where(size > 0, size, np.nan)
    columns: list[FloatArray] = []
    for segment in (trunk, thigh, shank):
        columns.extend(_direction(segment * mirror))
    columns += [
        sign * signed_angle(thigh, shank) / 90,
        -sign * signed_angle(-trunk, thigh) / 90,
        sign * signed_angle(far["knee"] - far["hip"], far["ankle"] - far["knee"]) / 90,
        -sign * signed_angle(-trunk, far["knee"] - far["hip"]) / 90,
    ]
    across = [near[part] - far[part] for part in ("hip", "shoulder", "knee", "ankle")]
    columns += [length(part) / size for part in (thigh, shank, trunk, *across[:2])]
    for part in (*across, near["ear"] - shoulders, near["elbow"] - near["shoulder"]):
        columns.extend((part * mirror / size[:, None]).T)
    columns += _space_features(track, space)
    heel, toe = near["heel"] - near["ankle"], near["foot_index"] - near["ankle"]
    feet = [*_direction(foot * mirror), 1 - sign * signed_angle(-shank, foot) / 90]
    feet += [length(part) / size for part in (foot, heel, toe)]
    for part in (heel, toe):
        feet.extend((part * mirror / size[:, None]).T)
    feet.append(1 - angle_between(space["knee"] - space["ankle"], space["foot_index"] - space["heel"]) / 90)
    return np.stack([*columns, *feet], axis=1)


def _direction(segment: FloatArray) -> list[FloatArray]:
    size = length(segment)
    return list((segment / np.where(size > 0, size, np.nan)[:, None]).T)


def _space_features(track: PoseTrack, space: dict[str, FloatArray]) -> list[FloatArray]:
    world = track.world_m
    trunk = (
        world[:, Landmark.LEFT_SHOULDER]
        + world[:, Landmark.RIGHT_SHOULDER]
        - world[:, Landmark.LEFT_HIP]
        - world[:, Landmark.RIGHT_HIP]
    )
    thigh, shank = space["knee"] - space["hip"], space["ankle"] - space["knee"]
    turned = []
    for name in ("SHOULDER", "HIP"):
        across = world[:, Landmark[f"LEFT_{name}"]] - world[:, Landmark[f"RIGHT_{name}"]]
        turned.append(np.degrees(np.arctan2(length(across[:, :2]), np.abs(across[:, 2]))) / 45)
    return [
        angle_between(thigh, shank) / 90,
        angle_between(-trunk, thigh) / 90,
        *turned,
    ]


def _side_points(points: FloatArray, side_sign: FloatArray) -> dict[str, FloatArray]:
    """Landmarks of the side that `side_sign` names in each frame (1 right, -1 left)."""
    right = (side_sign > 0)[:, None]
    return {
        name: np.where(right, points[:, side_landmark(Side.RIGHT, name)], points[:, side_landmark(Side.LEFT, name)])
        for name in ("ear", "shoulder", "elbow", "hip", "knee", "ankle", "heel", "foot_index")
    }
