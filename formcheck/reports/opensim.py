"""OpenSim's two formats: `.trc` (marker trajectories) and `.mot` (joint angles). docs/exports.md tells how to use them.

The markers are a clip seen by one camera, made as three-dimensional as it can honestly be. In the plane of the picture
they are the image landmarks, because those give the better sagittal angles and keep the body's place in the room; a
factor that is constant over the clip turns pixels into metres, so that the body has the size of the world landmarks.
Only the depth, which a picture does not have, is taken from the world landmarks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np

from formcheck import shots, smoothing
from formcheck.geometry import length
from formcheck.kinematics import CUTOFF_HZ, MAX_GAP_S, OUTLIER_WINDOW_S
from formcheck.landmarks import Landmark, side_landmark
from formcheck.reports.files import write_pieces
from formcheck.types import Analysis, FloatArray, PoseTrack, Side, Track

MARKERS = tuple(mark.name.lower() for mark in Landmark)
SEGMENTS = (("shoulder", "hip"), ("hip", "knee"), ("knee", "ankle"))  # rigid enough to compare their lengths
EVEN_WITHIN_S = 0.001  # containers round times to a millisecond
BEYOND_S = 2.0  # long enough for the filter of the depths to have settled
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
    track, near_side = analysis.track, analysis.report.view.near_side
    time_s = track.time_s
    moments = even_times(time_s)
    rate = f"{_rate_hz(moments):.6g}"
    count = len(moments)
    head = [
        ["PathFileType", "4", "(X/Y/Z)", _plain(target.name)],
        list(HEADER),
        [rate, rate, str(count), str(len(MARKERS)), "mm", rate, "1", str(count)],
        ["Frame#", "Time", *(cell for name in MARKERS for cell in (name, "", ""))],
        ["", "", *(f"{axis}{number}" for number in range(1, len(MARKERS) + 1) for axis in "XYZ")],
        [],
    ]
    numbered = enumerate(_marker_rows(track, time_s, moments, near_side), start=1)
    # The tab at the end is what OpenSim's own files have; without it, it loses an empty last cell.
    rows = ([str(number), f"{at:.6f}", *(_cell(value, 3) for value in row), ""] for number, (at, row) in numbered)
    write_pieces(target, (_text([line]) for line in chain(head, rows)))


def _marker_rows(
    track: Track, time_s: FloatArray, moments: FloatArray, near_side: Side | None
) -> Iterator[tuple[float, FloatArray]]:
    """Each moment with its markers in mm, shape (3 * markers,); of a long clip a stretch at a time is in memory."""
    room = room_of(shots.apart(shots.spread(track, (0, len(track)))), near_side)
    for start in range(0, len(time_s), shots.LONGEST):
        stop = min(start + shots.LONGEST, len(time_s))
        # the filter of the depths, and frames between which a moment lies, reach beyond the stretch
        first = int(np.searchsorted(time_s, time_s[start] - BEYOND_S))
        last = int(np.searchsorted(time_s, time_s[stop - 1] + BEYOND_S, side="right"))
        inside = moments >= time_s[start] if start else np.ones(len(moments), dtype=bool)
        if stop < len(time_s):
            inside &= moments < time_s[stop]
        points = 1000.0 * markers_m(track.part(slice(first, last)), room)
        points = resampled(time_s[first:last], points, moments[inside])
        yield from zip(moments[inside].tolist(), points.reshape(len(points), -1), strict=True)


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
    head = [[line] for line in lines] + [["time", *columns]]
    rows = (
        [f"{time_s:.6f}", *(_cell(values[row], 4) for values in columns.values())] for row, time_s in enumerate(moments)
    )
    write_pieces(target, (_text([line]) for line in chain(head, rows)))


def _bridged(moments: FloatArray, values: FloatArray) -> FloatArray:
    seen = np.isfinite(values)
    return np.asarray(np.interp(moments, moments[seen], values[seen]))


@dataclass(frozen=True, slots=True)
class Room:
    """Where the markers' axes lie in a clip.

    Attributes
    ----------
    metres : float
        Size of a pixel at the body.
    facing : float
        1 when forwards is the picture's right, -1 when it is its left.
    hips_m, floor_m : float
        Where the origin lies: forwards and up, before it is moved there.
    """

    metres: float
    facing: float
    hips_m: float
    floor_m: float


def room_of(track: PoseTrack, near_side: Side | None) -> Room:
    """Where the axes lie, by a smoothed track; a near side that is not known is taken for the right one."""
    facing = -1.0 if near_side is Side.LEFT else 1.0  # seen from its right side, a body looks to the picture's right
    metres = metres_per_pixel(track)
    places = _in_picture(track, metres, facing)
    hips = [list(Landmark).index(side_landmark(side, "hip")) for side in Side]
    forwards = places[:, hips, 0].mean(axis=1)
    seen = np.flatnonzero(np.isfinite(forwards))
    if not seen.size:
        return Room(metres, facing, 0.0, 0.0)
    floor_m = float(np.median(np.nanmin(places[seen, :, 1], axis=1)))
    return Room(metres, facing, float(forwards[seen[0]]), floor_m)


def _in_picture(track: PoseTrack, metres: float, facing: float) -> FloatArray:
    """Forwards and up, metres from the picture's corner, shape (n, markers, 2)."""
    image = track.image_px[:, list(Landmark)] * metres
    return np.stack([facing * image[..., 0], -image[..., 1]], axis=-1)


def markers_m(track: PoseTrack, room: Room) -> FloatArray:
    """The markers' places in OpenSim's axes.

    Parameters
    ----------
    track : PoseTrack
        Smoothed.
    room : Room

    Returns
    -------
    ndarray, shape (n, markers, 3)
        Metres: X forwards, Y up, Z to the person's right; NaN where unseen.
    """
    depth = _smooth(track.time_s, track.world_m[:, list(Landmark), 2])
    places = _in_picture(track, room.metres, room.facing) - (room.hips_m, room.floor_m)
    return np.concatenate([places, (-room.facing * depth)[..., None]], axis=-1)


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
