"""The systematic error of the pose network's landmarks, and its removal from the angles.

The network puts hip, ankle, heel and toe not quite where the joints are, and by how much depends on posture and view
(EVIDENCE and `docs/accuracy.md` have the figures); now and then a toe leaves the foot. The error of each near-side
angle is learnt from clips with known angles by kernel ridge regression on two things (`formcheck.bias_features`):
features of the landmarks that do not change when the picture is scaled, moved or mirrored, and the directions of edges
that the picture itself shows around the near knee and foot. Where there was no picture, the landmarks alone decide.

With a picture, what is learnt are the errors of the segments' directions (shank, thigh, trunk, sole), of which those of
the joints are differences. The picture of the foot tells where shank and sole point, and which other pose looked alike
at the knee is of no matter to them; thigh, trunk and the camera's turn go by both. Each has a penalty of its own. A
part that is linear in the foot's own angles goes beyond what was learnt from: a toe that leaves its foot further than
any seen before is wrong by as much more.

`bias_model.npz` holds the poses that were learnt from with their errors and the body that each came from, so that
`load` can also leave one body out: that is how the published accuracy is measured. `benchmarks/fit_bias.py` makes it.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass
from functools import cache
from importlib.resources import files
from zipfile import BadZipFile

import numpy as np
import scipy

from formcheck.bias_features import FOOT_ANGLE_COLUMNS, FOOT_FEATURES
from formcheck.errors import FormcheckError
from formcheck.types import FloatArray, PatchArray, Side
from formcheck.view import FRONT_VIEW_DEG

MODEL_FILE = "bias_model.npz"
CORRECTED = ("knee_flexion_deg", "hip_flexion_deg", "ankle_dorsiflexion_deg", "trunk_inclination_deg")
ERRORS = len(CORRECTED) + 1
YAW_COLUMN = len(CORRECTED)  # the last thing learnt: how wrong the estimate of the camera's turn is
MAX_YAW_CHANGE_DEG = 30.0
MAX_STANDARD = 3.5  # features further from the mean than this, in standard deviations, are taken as this far
FOOT_WEIGHT = 2.0  # the foot is small and its landmarks err most: likeness of two poses is likeness of their feet first
ROWS_AT_ONCE = 256  # bounds the memory of the kernel matrix: 7 MB a copy
PATCH_GAMMA = 1.0  # width of the kernel of patches; the squared distance of two patches (unit histograms) is 0 to 2
KNEE_WEIGHT = 2.0  # of the knee's picture against the foot's, for thigh and trunk
LINEAR = 0.1  # weight of what is linear in the foot's angles


# From the errors of `CORRECTED` and the yaw to those of shank, thigh, trunk, sole and yaw, each against the vertical.
SEGMENTS = np.array(
    [
        [1.0, -1.0, 0.0, 1.0, 0.0],
        [0.0, -1.0, 0.0, 1.0, 0.0],
        [0.0, 0.0, 0.0, 1.0, 0.0],
        [1.0, -1.0, -1.0, 1.0, 0.0],
        [0.0, 0.0, 0.0, 0.0, 1.0],
    ]
)
SHANK, SOLE = 0, 3  # rows of `SEGMENTS` that go by the picture of the foot


@dataclass(frozen=True, slots=True)
class Settings:
    """What is chosen, not learnt: `benchmarks/fit_bias.py --tune` compares values.

    Attributes
    ----------
    ridge, width : float
        Without a picture: weight of the penalty (larger is smoother), and width of the landmarks' kernel, whose gamma
        is this divided by the number of features.
    seen_width : float
        The same width with a picture.
    shank_ridge, sole_ridge, leg_ridge : float
        The penalties with a picture, the last of them for thigh, trunk and the camera's turn.
    """

    ridge: float
    width: float
    seen_width: float
    shank_ridge: float
    sole_ridge: float
    leg_ridge: float


SETTINGS = Settings(ridge=0.4, width=1.2, seen_width=0.3, shank_ridge=0.7, sole_ridge=0.3, leg_ridge=0.4)


@dataclass(frozen=True, slots=True)
class BiasModel:
    """Kernel ridge regression from landmarks and patches to angle errors (m poses learnt from, f features).

    Attributes
    ----------
    support : ndarray, shape (m, f)
        Standardised features.
    seen_support : ndarray, shape (2, m, PATCH_SIZE)
        Patches of knee and foot, as unit histograms.
    weights, foot_weights, leg_weights : ndarray, shape (m, 5)
        From landmarks alone; and with patches, where the two are added. One column per metric of `CORRECTED`, then the
        camera's yaw.
    mean, scale : ndarray, shape (f,)
    settings : Settings
    """

    support: FloatArray
    seen_support: FloatArray
    weights: FloatArray
    foot_weights: FloatArray
    leg_weights: FloatArray
    mean: FloatArray
    scale: FloatArray
    settings: Settings

    def predict(self, features: FloatArray, patches: PatchArray | None = None) -> FloatArray:
        """True minus measured angle, degrees.

        Parameters
        ----------
        features : ndarray, shape (n, f)
        patches : ndarray of uint8, shape (n, 2, PATCH_SIZE), or None
            Of the near leg; None goes by the landmarks alone.

        Returns
        -------
        ndarray, shape (n, 5)
            Columns as in `CORRECTED`, then the camera's yaw; NaN where a feature is NaN, or a patch is empty.
        """
        predicted = np.full((len(features), self.weights.shape[1]), np.nan)
        usable = np.isfinite(features).all(axis=1)
        if patches is not None:
            usable &= (patches.max(axis=2) > 0).all(axis=1)
        known = np.flatnonzero(usable)
        for start in range(0, known.size, ROWS_AT_ONCE):
            rows = known[start : start + ROWS_AT_ONCE]
            standard = standardise(features[rows], self.mean, self.scale)
            seen = None if patches is None else unit_patches(patches[rows])
            predicted[rows] = self._predict(standard, seen)
        return predicted

    def _predict(self, standard: FloatArray, seen: FloatArray | None) -> FloatArray:
        if seen is None:
            return np.asarray(kernel(standard, self.support, _gamma(self.settings.width, self.support)) @ self.weights)
        alike = kernel(standard, self.support, _gamma(self.settings.seen_width, self.support))
        foot, leg = _seen_kernels(alike, (standard, seen), (self.support, self.seen_support))
        return np.asarray(foot @ self.foot_weights + leg @ self.leg_weights)


def _gamma(width: float, support: FloatArray) -> float:
    return width / float(support.shape[1])


def standardise(features: FloatArray, mean: FloatArray, scale: FloatArray) -> FloatArray:
    """Zero mean and unit spread, with far values brought in to `MAX_STANDARD` and the foot's weighing more."""
    weight = np.ones(features.shape[1])
    weight[-FOOT_FEATURES:] = FOOT_WEIGHT
    return np.asarray(weight * np.clip((features - mean) / scale, -MAX_STANDARD, MAX_STANDARD))


def spread(features: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Mean and standard deviation of each feature, the latter never zero."""
    return np.asarray(features.mean(axis=0)), np.asarray(features.std(axis=0) + 1e-6)


def unit_patches(patches: PatchArray) -> FloatArray:
    """Histograms of length 1, by place: shape (2, n, PATCH_SIZE)."""
    values = patches.astype(np.float64).transpose(1, 0, 2)
    return np.asarray(values / np.maximum(np.linalg.norm(values, axis=2, keepdims=True), 1e-9))


def kernel(first: FloatArray, second: FloatArray, gamma: float) -> FloatArray:
    """Gaussian kernel between rows: shape (len(first), len(second))."""
    squared = (first**2).sum(axis=1)[:, None] + (second**2).sum(axis=1)[None] - 2.0 * first @ second.T
    return np.asarray(np.exp(-gamma * np.maximum(squared, 0.0)))


Seen = tuple[FloatArray, FloatArray]  # poses with their pictures: standardised features, unit patches


def _seen_kernels(alike: FloatArray, first: Seen, second: Seen) -> tuple[FloatArray, FloatArray]:
    """Likeness of poses with their pictures, for shank and sole, and for the rest of the leg.

    Each is the sum of how alike the landmarks are, how alike the pictures are, and the product of both. For shank and
    sole only the picture of the foot counts, and a part linear in the foot's angles has its own slope for each look of
    the foot. For the rest both pictures count, and have to be more alike. (A linear part there helps on rendered
    people, but moves hips and knees of real ones by up to 5 degrees where their likes were not learnt from.)

    Parameters
    ----------
    alike : ndarray, shape (n, m)
        The landmarks' kernel.
    first, second : (ndarray, ndarray)
        Shapes (n, f) and (2, n, PATCH_SIZE); (m, f) and (2, m, PATCH_SIZE).
    """
    knee, foot = (kernel(one, other, PATCH_GAMMA) for one, other in zip(first[1], second[1], strict=True))
    both = KNEE_WEIGHT * knee**2 + foot**2  # half as wide
    angles = first[0][:, FOOT_ANGLE_COLUMNS] @ second[0][:, FOOT_ANGLE_COLUMNS].T / FOOT_WEIGHT**2
    return alike + foot + alike * foot + LINEAR * (1.0 + angles) * (1.0 + foot), alike + both + alike * both


def fit(features: FloatArray, patches: PatchArray, errors: FloatArray, settings: Settings) -> BiasModel:
    """Learn the errors.

    Parameters
    ----------
    features : ndarray, shape (m, f)
    patches : ndarray of uint8, shape (m, 2, PATCH_SIZE)
    errors : ndarray, shape (m, 5)
        True minus measured, degrees: `CORRECTED`, then the camera's yaw.
    settings : Settings
    """
    mean, scale = spread(features)
    support, seen = standardise(features, mean, scale), unit_patches(patches)
    weights = _solve(kernel(support, support, _gamma(settings.width, support)), errors, settings.ridge)
    alike = kernel(support, support, _gamma(settings.seen_width, support))
    foot, leg = _seen_kernels(alike, (support, seen), (support, seen))
    segments = errors @ SEGMENTS.T
    of_foot, of_leg = np.zeros_like(segments), _solve(leg, segments, settings.leg_ridge)
    of_leg[:, [SHANK, SOLE]] = 0.0
    for column, ridge in ((SHANK, settings.shank_ridge), (SOLE, settings.sole_ridge)):
        of_foot[:, column] = _solve(foot.copy(), segments[:, column], ridge)
    back = np.linalg.inv(SEGMENTS).T
    return BiasModel(support, seen, weights, of_foot @ back, of_leg @ back, mean, scale, settings)


def _solve(likeness: FloatArray, errors: FloatArray, ridge: float) -> FloatArray:
    likeness[np.diag_indices_from(likeness)] += ridge
    factor = scipy.linalg.cho_factor(likeness, overwrite_a=True, check_finite=False)
    return np.asarray(scipy.linalg.cho_solve(factor, errors, check_finite=False), dtype=np.float64)


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
            patches, kept = data["patches"], data["bodies"] != left_out_body
            if data["settings"].tolist() != list(astuple(SETTINGS)):
                raise ValueError("it was fitted with other settings than formcheck's")
            if not kept.all():
                return fit(features[kept], patches[kept], errors[kept], SETTINGS)
            mean, scale = spread(features)
            support, seen = standardise(features, mean, scale), unit_patches(patches)
            alone, foot, leg = (data[name].astype(np.float64) for name in ("weights", "foot_weights", "leg_weights"))
            return BiasModel(support, seen, alone, foot, leg, mean, scale, SETTINGS)
    except (OSError, ValueError, KeyError, TypeError, BadZipFile) as error:
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
