"""OpenSim's two formats: `.trc` (marker trajectories) and `.mot` (joint angles). docs/exports.md tells how to use them.

The markers are a clip seen by one camera, made as three-dimensional as it can honestly be. In the plane of the picture
they are the image landmarks, because those give the better sagittal angles and keep the body's place in the room; a
factor that is constant over the clip turns pixels into metres, so that the body has the size of the world landmarks.
Only the depth, which a picture does not have, is taken from the world landmarks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from formcheck import smoothing
from formcheck.geometry import length
from formcheck.kinematics import CUTOFF_HZ, MAX_GAP_S, OUTLIER_WINDOW_S
from formcheck.landmarks import Landmark, side_landmark
from formcheck.reports.files import write_text
from formcheck.types import Analysis, FloatArray, PoseTrack, Side

MARKERS = tuple(mark.name.lower() for mark in Landmark)
SEGMENTS = (("shoulder", "hip"), ("hip", "knee"), ("knee", "ankle"))  # rigid enough to compare their lengths
EVEN_WITHIN_S = 0.001  # containers round times to a millisecond
FALLBACK_HZ = 30.0  # for a clip of a single frame, where any rate is true

# Coordinate of OpenSim's full-body models (Rajagopal 2016 and those made from it) -> column of angles.csv, and sign.
# Their knee bends to +, as here; a forward lean is a negative pelvis tilt, because the axis points to the right.
COORDINATES: Mapping[str, tuple[str, float]] = {
    "pelvis_tilt": ("trunk_inclination_deg", -1.0),
    **{
        name.format(side[0]): (f"{side}_{metric}", 1.0)
        for side in ("right", "left")
        for name, metric in (
            ("hip_flexion_{}", "hip_flexion_deg"),
            ("knee_angle_{}", "knee_flexion_deg"),
            ("ankle_angle_{}", "ankle_dorsiflexion_deg"),
        )
    },
}
HEADER = (
    "DataRate",
    "CameraRate",
    "NumFrames",
    "NumMarkers",
    "Units",
    "OrigDataRate",
    "OrigDataStartFrame",
    "OrigNumFrames",
)
OWN_COLUMNS = ("lumbar_flexion_deg", "neck_flexion_deg")  # no coordinate of a model means the same


def write_trc(target: Path, analysis: Analysis) -> None:
    """Write the marker trajectories: `MARKERS`, in mm; X forwards, Y up, Z to the person's right.

    The origin is on the floor (the lowest marker, median over the clip) below the first mid-hip, and half-way between
    the hips in depth. A marker that was not seen is an empty cell. A clip with uneven frame times is resampled, because
    the format states one rate.

    Raises
    ------
    OutputError
        When it cannot be written.
    """
    track = analysis.track
    moments = even_times(track.time_s)
    points = resampled(track.time_s, 1000.0 * markers_m(track, analysis.report.view.near_side), moments)
    rate = f"{_rate_hz(moments):.6g}"
    count = len(moments)
    lines = [
        ["PathFileType", "4", "(X/Y/Z)", _plain(target.name)],
        list(HEADER),
        [rate, rate, str(count), str(len(MARKERS)), "mm", rate, "1", str(count)],
        ["Frame#", "Time", *(cell for name in MARKERS for cell in (name, "", ""))],
        ["", "", *(f"{axis}{number}" for number in range(1, len(MARKERS) + 1) for axis in "XYZ")],
        [],
    ]
    for number, (time_s, row) in enumerate(zip(moments, points.reshape(count, -1), strict=True), start=1):
        # The tab at the end is what OpenSim's own files have; without it, it loses an empty last cell.
        lines.append([str(number), f"{time_s:.6f}", *(_cell(value, 3) for value in row), ""])
    write_text(target, _text(lines))


def write_mot(target: Path, analysis: Analysis) -> None:
    """Write the joint angles in degrees under the names of OpenSim's coordinates (`COORDINATES`), then `OWN_COLUMNS`.

    OpenSim stops reading at a number that is missing. So an angle that was seen in less than half of the frames is left
    out, and the gaps of the others are bridged by straight lines (at the ends by the nearest value); the header names
    each column that was bridged, and in how many rows. Uneven frame times are resampled as in `write_trc`, so that both
    files have the same rows.

    Raises
    ------
    OutputError
        When it cannot be written.
    """
    table = analysis.table
    moments = even_times(table.time_s)
    wanted = {name: sign * table.columns[column] for name, (column, sign) in COORDINATES.items()}
    wanted |= {name: table.columns[name] for name in OWN_COLUMNS}
    columns: dict[str, FloatArray] = {}
    notes = []
    for name, values in wanted.items():
        angle = resampled(table.time_s, values, moments)
        unseen = int((~np.isfinite(angle)).sum())
        if unseen * 2 > len(moments) or not len(moments):
            notes.append(f"{name} is left out: not seen in {unseen} of {len(moments)} rows")
            continue
        if unseen:
            notes.append(f"{name}: not seen in {unseen} of {len(moments)} rows, which lie on straight lines")
        columns[name] = _bridged(moments, angle)
    lines = ["Coordinates", "version=1", f"nRows={len(moments)}", f"nColumns={len(columns) + 1}", "inDegrees=yes", ""]
    lines += ["Units are S.I. units (second, meters, Newtons, ...)", "Angles are in degrees.", *notes, "", "endheader"]
    cells = [[line] for line in lines] + [["time", *columns]]
    for row, time_s in enumerate(moments):
        cells.append([f"{time_s:.6f}", *(_cell(values[row], 4) for values in columns.values())])
    write_text(target, _text(cells))


def _bridged(moments: FloatArray, values: FloatArray) -> FloatArray:
    seen = np.isfinite(values)
    return np.asarray(np.interp(moments, moments[seen], values[seen]))


def markers_m(track: PoseTrack, near_side: Side | None) -> FloatArray:
    """The markers' places in OpenSim's axes.

    Parameters
    ----------
    track : PoseTrack
        Smoothed.
    near_side : Side or None
        The side that faces the camera tells which way is forwards; None is taken for the right one.

    Returns
    -------
    ndarray, shape (n, markers, 3)
        Metres: X forwards, Y up, Z to the person's right; NaN where unseen.
    """
    marks = list(Landmark)
    image = track.image_px[:, marks] * metres_per_pixel(track)
    depth = _smooth(track.time_s, track.world_m[:, marks, 2])
    facing = -1.0 if near_side is Side.LEFT else 1.0  # seen from its right side, a body looks to the picture's right
    places = np.stack([facing * image[..., 0], -image[..., 1], -facing * depth], axis=-1)
    hips = [marks.index(side_landmark(side, "hip")) for side in Side]
    forwards = places[:, hips, 0].mean(axis=1)
    seen = np.flatnonzero(np.isfinite(forwards))
    if seen.size:
        places[..., 0] -= forwards[seen[0]]
        places[..., 1] -= np.median(np.nanmin(places[seen, :, 1], axis=1))
    return np.asarray(places)


def metres_per_pixel(track: PoseTrack) -> float:
    """Size of a pixel at the body: median over the clip of world length against image length; NaN where unseen."""
    ratios = []
    for side in Side:
        for one, other in SEGMENTS:
            ends = side_landmark(side, one), side_landmark(side, other)
            metres, pixels = (
                length(points[:, ends[0], :2] - points[:, ends[1], :2]) for points in (track.world_m, track.image_px)
            )
            ratios.append((metres, pixels))
    metres, pixels = (np.sum([pair[index] for pair in ratios], axis=0) for index in (0, 1))
    known = np.isfinite(metres) & np.isfinite(pixels) & (pixels > 0)
    return float(np.median(metres[known] / pixels[known])) if known.any() else float("nan")


def _smooth(time_s: FloatArray, values: FloatArray) -> FloatArray:
    """Clean the depths as `kinematics.over_window` cleans the image landmarks."""
    values = smoothing.hampel(time_s, values, OUTLIER_WINDOW_S)
    values = smoothing.fill_gaps(time_s, values, MAX_GAP_S)
    return smoothing.zero_phase(time_s, values, CUTOFF_HZ)


def even_times(time_s: FloatArray) -> FloatArray:
    """The frame times themselves where they are even to a millisecond, else even ones at the clip's usual rate."""
    if len(time_s) < 2:
        return time_s
    straight = np.linspace(time_s[0], time_s[-1], len(time_s))
    if float(np.abs(time_s - straight).max()) <= EVEN_WITHIN_S:
        return time_s
    interval = smoothing.sample_interval_s(time_s)
    return np.asarray(time_s[0] + interval * np.arange(int((time_s[-1] - time_s[0]) / interval + 1e-6) + 1))


def resampled(time_s: FloatArray, values: FloatArray, moments: FloatArray) -> FloatArray:
    """Values at other moments, on straight lines between neighbouring frames.

    Parameters
    ----------
    time_s : ndarray, shape (n,)
    values : ndarray, shape (n, ...)
    moments : ndarray, shape (m,)
        Within the range of `time_s`.

    Returns
    -------
    ndarray, shape (m, ...)
        NaN where one of the neighbours that it lies between is.
    """
    if len(moments) == len(time_s) and bool((moments == time_s).all()):
        return values
    after = np.clip(np.searchsorted(time_s, moments), 1, len(time_s) - 1)
    share = (moments - time_s[after - 1]) / (time_s[after] - time_s[after - 1])
    weight = share.reshape(-1, *[1] * (values.ndim - 1))
    between = (1 - weight) * values[after - 1] + weight * values[after]
    between = np.where(weight == 0, values[after - 1], between)  # a frame's own moment asks for no neighbour
    return np.where(weight == 1, values[after], between)


def _rate_hz(moments: FloatArray) -> float:
    return (len(moments) - 1) / float(moments[-1] - moments[0]) if len(moments) > 1 else FALLBACK_HZ


def _cell(value: float, decimals: int) -> str:
    # "+ 0.0" after rounding turns -0.0 into 0.0.
    return f"{round(float(value), decimals) + 0.0:.{decimals}f}" if np.isfinite(value) else ""


def _plain(name: str) -> str:
    """A file name for a format that ends cells at tabs and lines at line breaks."""
    return "".join(letter if letter.isprintable() else "_" for letter in name)


def _text(lines: Sequence[Sequence[str]]) -> str:
    return "".join("\t".join(line) + "\n" for line in lines)
