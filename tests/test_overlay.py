"""The overlay: what is drawn, where, and what is left alone."""

from __future__ import annotations

import math
import time
from dataclasses import replace

import numpy as np
import pytest

from formcheck import overlay_text
from formcheck.errors import OutputError
from formcheck.landmarks import side_landmark
from formcheck.overlay import Edge, Style, draw
from formcheck.types import (
    Cue,
    ImageArray,
    Kind,
    Measurement,
    Phase,
    Pose,
    Side,
    Status,
    Update,
)

BACKGROUND = 128

# Somebody in a hinge, right side near, facing the image's right; shares of the frame's width and height.
HINGE = {
    "ear": (0.66, 0.34),
    "shoulder": (0.61, 0.38),
    "elbow": (0.62, 0.48),
    "wrist": (0.61, 0.57),
    "hip": (0.47, 0.43),
    "knee": (0.51, 0.58),
    "ankle": (0.49, 0.74),
    "heel": (0.475, 0.765),
    "foot_index": (0.54, 0.77),
}
ANGLES = {"right_hip_flexion_deg": 71.6, "right_knee_flexion_deg": 23.4, "right_ankle_dorsiflexion_deg": -4.0}
NO_ANGLES = dict.fromkeys(ANGLES, math.nan)
SIZES = [(64, 48), (360, 640), (641, 363), (1280, 720), (3840, 2160), (48, 640), (1, 1)]


def grey(width: int = 1280, height: int = 720) -> ImageArray:
    return np.full((height, width, 3), BACKGROUND, np.uint8)


def pose_of(
    points: dict[str, tuple[float, float]], size: tuple[int, int] = (1280, 720), side: Side = Side.RIGHT
) -> Pose:
    pose = Pose.missing(0, 0.0, size)
    for name, (x, y) in points.items():
        pose.image_px[side_landmark(side, name)] = x * size[0], y * size[1]
        pose.visibility[side_landmark(side, name)] = 1.0
    return pose


def update_of(
    pose: Pose, *cues: Cue, values: dict[str, float] | None = None, near: Side | None = Side.RIGHT, count: int = 2
) -> Update:
    measurement = Measurement(0.0, near, ANGLES if values is None else values, pose.found)
    return Update(pose, measurement, Phase.LIFTING, count, cues)


def cue(status: Status, text: str = "Soften your knees", rule: str = "locked-knees") -> Cue:
    return Cue(text, rule, status)


def changed(first: ImageArray, second: ImageArray) -> np.ndarray:
    return (first != second).any(axis=2)


def bounds(mask: np.ndarray) -> tuple[int, int, int, int]:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def luminance(colour: tuple[int, int, int]) -> float:
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (v / 255 for v in colour)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize(("width", "height"), SIZES)
@pytest.mark.parametrize("status", [*Status, None])
def test_every_frame_size_gives_a_new_image_of_that_size(width: int, height: int, status: Status | None) -> None:
    image = grey(width, height)
    cues = () if status is None else (cue(status, "Keep your back long; stop where it starts to round"),)
    out = draw(image, update_of(pose_of(HINGE, (width, height)), *cues), exercise_title="Romanian deadlift")
    assert out.shape == image.shape
    assert out.dtype == np.uint8
    assert out.flags.c_contiguous
    assert not np.shares_memory(out, image)
    assert (image == BACKGROUND).all()


@pytest.mark.parametrize("joint", ["shoulder", "hip", "knee", "ankle", "heel", "foot_index"])
def test_a_white_dot_marks_each_joint_of_the_near_side(joint: str) -> None:
    out = draw(grey(), update_of(pose_of(HINGE), values=NO_ANGLES))
    x, y = HINGE[joint]
    assert out[round(y * 720), round(x * 1280)].tolist() == [255, 255, 255]


@pytest.mark.parametrize(
    ("start", "end"),
    [("shoulder", "hip"), ("hip", "knee"), ("knee", "ankle"), ("heel", "foot_index"), ("ear", "shoulder")],
)
def test_lines_join_the_near_side(start: str, end: str) -> None:
    out = draw(grey(), update_of(pose_of(HINGE), values=NO_ANGLES))
    x, y = ((a + b) / 2 for a, b in zip(HINGE[start], HINGE[end], strict=True))
    colour = overlay_text.GREY if start == "ear" else overlay_text.SKY_BLUE
    assert out[round(y * 720), round(x * 1280)].tolist() == list(colour)


def test_the_far_side_is_not_drawn() -> None:
    near, both = pose_of(HINGE), pose_of(HINGE)
    for name, (x, y) in HINGE.items():
        both.image_px[side_landmark(Side.LEFT, name)] = x * 1280 - 200, y * 720
    both.visibility[:] = 1.0
    np.testing.assert_array_equal(draw(grey(), update_of(both)), draw(grey(), update_of(near)))


def test_landmarks_are_scaled_to_the_image() -> None:
    small = update_of(pose_of(HINGE, (640, 360)))
    np.testing.assert_array_equal(draw(grey(), small), draw(grey(), update_of(pose_of(HINGE))))


def test_unknown_side_draws_a_faint_person_without_angles() -> None:
    unknown = draw(grey(), update_of(pose_of(HINGE), near=None))
    known = draw(grey(), update_of(pose_of(HINGE)))
    body = np.s_[200:600, 400:900]
    assert 0 < changed(unknown, grey())[body].sum() < changed(known, grey())[body].sum() / 2


def test_without_a_person_only_count_cue_and_note_are_drawn() -> None:
    missing = Pose.missing(0, 0.0, (1280, 720))
    touched = changed(draw(grey(), update_of(missing, cue(Status.FAULT))), grey())
    count, band, note = np.s_[:146, :130], np.s_[576:], np.s_[516:566, 450:830]
    for area in (count, band, note):
        assert touched[area].any()
        touched[area] = False
    assert not touched.any()


def test_the_note_says_that_nobody_is_there() -> None:
    missing = draw(grey(), update_of(Pose.missing(0, 0.0, (1280, 720))))
    hidden = pose_of(HINGE)
    hidden.visibility[:] = 0.1  # found, but nothing that can be drawn: no note
    seen = draw(grey(), update_of(hidden))
    note = overlay_text.label("No person in view", Style.for_size(1280, 720).label, overlay_text.WHITE)
    left, top, right, bottom = bounds(changed(missing, seen))
    assert (right - left, bottom - top) == note.size


@pytest.mark.parametrize("lost", ["hip", "knee", "ankle", "heel", "foot_index", "shoulder"])
@pytest.mark.parametrize("place", [(math.nan, math.nan), (math.inf, 0.5), (1e12, -1e12), (0.5, math.nan)])
def test_a_lost_landmark_takes_only_its_own_lines_away(lost: str, place: tuple[float, float]) -> None:
    out = draw(grey(), update_of(pose_of(HINGE | {lost: place}), cue(Status.FAULT)))
    without = draw(grey(), update_of(pose_of({k: v for k, v in HINGE.items() if k != lost}), cue(Status.FAULT)))
    np.testing.assert_array_equal(out, without)
    assert changed(out, grey())[200:600, 400:900].any()


def test_a_line_to_a_landmark_outside_the_frame_reaches_the_border() -> None:
    out = draw(grey(), update_of(pose_of({"hip": (0.5, 0.5), "knee": (1.4, 0.5)}), values=NO_ANGLES))
    assert out[360, 1279].tolist() == list(overlay_text.SKY_BLUE)


@pytest.mark.parametrize("name", list(ANGLES))
def test_an_unmeasured_angle_is_not_drawn(name: str) -> None:
    everything = draw(grey(), update_of(pose_of(HINGE)))
    absent = draw(grey(), update_of(pose_of(HINGE), values={k: v for k, v in ANGLES.items() if k != name}))
    nan = draw(grey(), update_of(pose_of(HINGE), values=ANGLES | {name: math.nan}))
    np.testing.assert_array_equal(absent, nan)
    assert changed(everything, nan).sum() > 500


def test_a_straight_knee_has_no_arc_and_a_bent_one_has() -> None:
    def yellow(knee_x: float) -> int:
        points = {"hip": (0.5, 0.2), "knee": (knee_x, 0.5), "ankle": (0.5, 0.8)}
        out = draw(grey(), update_of(pose_of(points), values={"right_knee_flexion_deg": 5.0}))
        return int(((out[..., 0] > 150) & (out[..., 1] > 150) & (out[..., 2] < 110)).sum())

    assert yellow(0.5) == 0
    assert yellow(0.6) > 300


def test_the_knee_arc_lies_between_the_thighs_continuation_and_the_shank() -> None:
    points = {"hip": (0.5, 0.2), "knee": (0.5, 0.5), "ankle": (0.35, 0.5)}  # 90 degrees, shank to the left
    values = {"right_knee_flexion_deg": 90.0}
    out = draw(grey(), update_of(pose_of(points), values=values))
    half = round(0.5 * Style.for_size(1280, 720).arc * math.sqrt(0.5))
    inside, opposite = out[360 + half, 640 - half], out[360 - half, 640 - half]
    assert inside[2] < BACKGROUND - 10 < BACKGROUND + 10 < inside[0]  # yellowish: blue down, red up
    assert opposite.tolist() == [BACKGROUND] * 3


def label_box(values: dict[str, float], points: dict[str, tuple[float, float]], size: tuple[int, int]):
    """Box of what the last angle's number changes: its label, whose digits are its only difference."""
    name = next(iter(values))
    pose = pose_of(points, size)
    one, other = (draw(grey(*size), update_of(pose, values={name: v})) for v in (88.0, 11.0))
    return bounds(changed(one, other))


@pytest.mark.parametrize("place", [(0.01, 0.5), (0.99, 0.5), (0.5, 0.985), (0.98, 0.98), (0.97, 0.03)])
def test_a_label_stays_inside_the_frame_and_off_its_joint(place: tuple[float, float]) -> None:
    x, y = place
    points = {"hip": (0.5, 0.5), "knee": place, "ankle": (x, y + 0.2)}
    label = overlay_text.label("88°", Style.for_size(1280, 720).label, overlay_text.WHITE)
    left, top, right, bottom = label_box({"right_knee_flexion_deg": 0.0}, points, (1280, 720))
    # A label that was cut off by the frame would show less than all of its digits.
    digits = np.abs(label.colour.astype(int) - overlay_text.label("11°", 30, overlay_text.WHITE).colour).any(axis=2)
    assert (right - left, bottom - top) == (
        bounds(digits)[2] - bounds(digits)[0],
        bounds(digits)[3] - bounds(digits)[1],
    )
    assert 0 < left < right < 1280
    assert 0 < top < bottom < 720
    assert not (left <= x * 1280 <= right and top <= y * 720 <= bottom)


def digits_box(points: dict[str, tuple[float, float]], name: str) -> overlay_text.Rect:
    one, other = (draw(grey(), update_of(pose_of(points), values=ANGLES | {name: v})) for v in (88.0, 11.0))
    return overlay_text.Rect(*bounds(changed(one, other)))


@pytest.mark.parametrize("scale", [1.0, 0.3, 0.2])
def test_labels_do_not_cover_each_other_or_a_joint(scale: float) -> None:
    crowded = {name: (0.5 + scale * (x - 0.5), 0.5 + scale * (y - 0.5)) for name, (x, y) in HINGE.items()}
    boxes = [digits_box(crowded, name) for name in ANGLES]
    for index, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[index + 1 :])
        assert not any(box.contains(x * 1280, y * 720) for name, (x, y) in crowded.items() if name != "ear")


def test_a_label_gives_way_to_a_hand() -> None:
    free = {name: place for name, place in HINGE.items() if name not in ("wrist", "elbow")}
    before = digits_box(free, "right_knee_flexion_deg")
    x, y = (before.left + before.right) / 2, (before.top + before.bottom) / 2
    after = digits_box(free | {"wrist": (x / 1280, y / 720)}, "right_knee_flexion_deg")
    assert not after.contains(x, y)


def test_a_negative_angle_is_shown_with_a_sign_and_minus_zero_is_not() -> None:
    pose = pose_of(HINGE)

    def with_knee(value: float) -> ImageArray:
        return draw(grey(), update_of(pose, values={"right_knee_flexion_deg": value}))

    np.testing.assert_array_equal(with_knee(-0.4), with_knee(0.4))
    assert changed(with_knee(-5.0), with_knee(5.0)).any()


LONG = "Keep your back long and let the hips travel backwards, stop where the lower back starts to round " * 3


@pytest.mark.parametrize(
    "text", ["Hips", "Soften your knees a little", LONG, "Donaudampfschifffahrt" * 9, "Rücken lang, köşe ✓"]
)
@pytest.mark.parametrize(("width", "height"), [(360, 640), (640, 360), (1280, 720), (541, 961)])
def test_the_cue_text_lies_inside_its_band(text: str, width: int, height: int) -> None:
    missing = update_of(Pose.missing(0, 0.0, (width, height)), cue(Status.FAULT, text))
    out = draw(grey(width, height), missing)
    fill = (np.abs(out.astype(int) - overlay_text.FAULT_FILL).max(axis=2)) < 3
    left, top, right, bottom = bounds(fill)
    assert left > 0
    assert right < width
    assert bottom < height
    assert top > height / 2
    style = Style.for_size(width, height)
    icon_end = left + round(2.3 * style.cue)
    corner = round(0.5 * style.cue)
    ink = ~fill[top:bottom, icon_end : right - corner]
    assert ink.any()
    x0, y0, _, y1 = bounds(ink)
    assert y0 >= 2
    assert y1 <= bottom - top - 2
    assert x0 >= 1
    assert fill[top + corner : bottom - corner, right - corner : right].all()  # a margin without text


def test_a_long_cue_shrinks_takes_two_lines_and_stays_readable() -> None:
    lines, size = overlay_text.fit(LONG, 280, 22, 17)
    assert len(lines) == 2
    assert size == 17
    assert lines[1].endswith("…")
    assert all(overlay_text.font(size).getlength(line) <= 280 for line in lines)
    short, full = overlay_text.fit("Soften your knees a little", 280, 22, 17)
    assert " ".join(short) == "Soften your knees a little"
    assert full == 22


@pytest.mark.parametrize(("width", "height"), [(360, 640), (1280, 720), (3840, 2160)])
def test_even_the_smallest_cue_text_is_large_enough_for_a_phone(width: int, height: int) -> None:
    assert Style.for_size(width, height).smallest_cue >= 0.045 * min(width, height)


@pytest.mark.parametrize("status", list(Status))
def test_band_text_has_high_contrast(status: Status) -> None:
    band = overlay_text.band("Hips", status, least=600, width=600, size=40, smallest=30).colour
    pixels, counts = np.unique(band[12:-12, 88:220].reshape(-1, 3), axis=0, return_counts=True)
    fill, ink = pixels[np.argsort(counts)[::-1][:2]]
    bright, dark = sorted((luminance(tuple(fill)), luminance(tuple(ink))), reverse=True)
    assert (bright + 0.05) / (dark + 0.05) >= 4.5


def test_statuses_differ_in_shape_and_not_only_in_colour() -> None:
    """The icon's outline and the limb's pattern differ even after the picture is reduced to two tones."""
    icons = {}
    for status in Status:
        icon = overlay_text.band("", status, least=400, width=400, size=40, smallest=30).colour[24:84, 24:84]
        tone = icon.astype(float).mean(axis=2)
        icons[status] = np.abs(tone - tone[0, 0]) > 30
    statuses = list(Status)
    for index, one in enumerate(statuses[:-1]):
        for other in statuses[index + 1 :]:
            assert (icons[one] != icons[other]).mean() > 0.05, (one, other)
    assert (icons[Status.FAULT] != icons[Status.CAUTION]).mean() > 0.25  # the two that must never be mixed up


def test_a_faulty_limb_is_marked_differently_from_a_caution_in_greyscale() -> None:
    def along_shank(status: Status) -> np.ndarray:
        out = draw(grey(), update_of(pose_of(HINGE), cue(status), values=NO_ANGLES)).mean(axis=2)
        (x0, y0), (x1, y1) = HINGE["knee"], HINGE["ankle"]
        steps = np.linspace(0.15, 0.85, 200)
        return out[
            np.rint((y0 + steps * (y1 - y0)) * 720).astype(int), np.rint((x0 + steps * (x1 - x0)) * 1280).astype(int)
        ]

    fault, caution, fine = along_shank(Status.FAULT), along_shank(Status.CAUTION), along_shank(Status.OK)
    assert np.ptp(fine) == 0  # one plain line
    assert fault.max() > 240  # white dashes
    assert fault.min() > 60
    assert caution.min() < 40  # dark dots
    assert caution.max() < 200


@pytest.mark.parametrize(
    ("rule", "start", "end"),
    [("locked-knees", "hip", "knee"), ("rounded-lower-back", "shoulder", "hip"), ("no-such-rule", "knee", "ankle")],
)
def test_the_limb_that_the_rule_is_about_is_marked(rule: str, start: str, end: str) -> None:
    plain = draw(grey(), update_of(pose_of(HINGE), cue(Status.OK, rule=rule), values=NO_ANGLES))
    fault = draw(grey(), update_of(pose_of(HINGE), cue(Status.FAULT, rule=rule), values=NO_ANGLES))
    x, y = (a + 0.35 * (b - a) for a, b in zip(HINGE[start], HINGE[end], strict=True))
    spot = np.s_[round(y * 720) - 4 : round(y * 720) + 5, round(x * 1280) - 4 : round(x * 1280) + 5]
    assert changed(plain, fault)[spot].any()
    unrelated = np.s_[round(0.768 * 720) - 3 : round(0.768 * 720) + 4, round(0.51 * 1280) - 3 : round(0.51 * 1280) + 4]
    assert not changed(plain, fault)[unrelated].any()  # the foot


def test_only_the_first_cue_is_written_but_every_limb_is_marked() -> None:
    back = cue(Status.FAULT, "Keep your back long", "rounded-lower-back")
    knees = cue(Status.CAUTION, "Soften your knees", "locked-knees")
    first = draw(grey(), update_of(pose_of(HINGE), back, values=NO_ANGLES))
    both = draw(grey(), update_of(pose_of(HINGE), back, knees, values=NO_ANGLES))
    x0, y0, x1, y1 = bounds(changed(first, both))
    assert 0.40 * 720 < y0 < y1 < 0.78 * 720  # the leg only
    assert 0.43 * 1280 < x0 < x1 < 0.56 * 1280


def test_the_cue_moves_to_the_top_rather_than_hide_a_foot() -> None:
    low = {name: (x, y + 0.2) for name, (x, y) in HINGE.items()}
    for place in ((-0.3, 0.0), (0.0, 0.0)):
        shifted = {name: (x + place[0], y) for name, (x, y) in low.items()}
        out = draw(grey(), update_of(pose_of(shifted), cue(Status.CAUTION), values=NO_ANGLES))
        x, y = shifted["ankle"]
        assert out[round(y * 720), round(x * 1280)].tolist() == [255, 255, 255]
        assert (out[:140] == overlay_text.ORANGE).all(axis=2).sum() > 10_000
    pinned = replace(Style.for_size(1280, 720), cue_edge=Edge.BOTTOM)
    out = draw(grey(), update_of(pose_of(shifted), cue(Status.CAUTION), values=NO_ANGLES), style=pinned)
    assert not (out[:140] == overlay_text.ORANGE).all(axis=2).any()


def test_the_count_and_what_is_counted_are_shown() -> None:
    pose = pose_of(HINGE)
    reps = draw(grey(), update_of(pose, count=2))
    assert changed(reps, draw(grey(), update_of(pose, count=3)))[:110, :110].any()
    holds = draw(grey(), update_of(pose, count=2), kind=Kind.HOLD)
    assert changed(reps, holds)[:110, :130].any()
    assert not changed(reps, holds)[146:].any()


def test_a_long_title_stays_inside_the_frame() -> None:
    missing = update_of(Pose.missing(0, 0.0, (360, 640)))
    out = draw(grey(360, 640), missing, exercise_title="Seated hamstring stretch " * 5, limits_text="Knee 3° " * 30)
    touched = changed(out, grey(360, 640))[:120]
    assert touched.any()
    assert not touched[:, -5:].any()


def test_drawing_is_a_pure_function_of_its_arguments() -> None:
    update = update_of(pose_of(HINGE), cue(Status.FAULT))
    noise = np.random.default_rng(3).integers(0, 256, (720, 1280, 3), dtype=np.uint8)
    first = draw(noise, update, exercise_title="RDL")
    draw(grey(), update_of(pose_of(HINGE), cue(Status.OK)), exercise_title="Other")
    np.testing.assert_array_equal(draw(noise, update, exercise_title="RDL"), first)


def test_a_view_with_negative_strides_is_drawn_as_its_copy() -> None:
    noise = np.random.default_rng(4).integers(0, 256, (363, 641, 3), dtype=np.uint8)
    update = update_of(pose_of(HINGE, (641, 363)), cue(Status.FAULT))
    view = noise[:, ::-1, ::-1]
    np.testing.assert_array_equal(draw(view, update), draw(np.ascontiguousarray(view), update))


@pytest.mark.parametrize(
    "image",
    [np.zeros((10, 10), np.uint8), np.zeros((10, 10, 4), np.uint8), np.zeros((9, 9, 3)), np.zeros((0, 4, 3), np.uint8)],
)
def test_anything_but_an_rgb_image_is_refused(image: np.ndarray) -> None:
    with pytest.raises(OutputError, match="RGB image of uint8"):
        draw(image, update_of(pose_of(HINGE)))


def test_a_missing_font_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overlay_text, "FONT_FILE", overlay_text.FONT_FILE.with_name("gone.ttf"))
    overlay_text.font.cache_clear()
    with pytest.raises(OutputError, match=r"gone\.ttf.*reinstall formcheck"):
        overlay_text.font(12)


def test_a_720p_frame_is_drawn_fast() -> None:
    image, update = grey(), update_of(pose_of(HINGE), cue(Status.FAULT))
    draw(image, update, exercise_title="Romanian deadlift")  # fills the bitmap caches
    taken = []
    for _ in range(15):
        start = time.perf_counter()
        draw(image, update, exercise_title="Romanian deadlift")
        taken.append(time.perf_counter() - start)
    assert sorted(taken)[7] < 0.025


class TestCueEdgeOfAClip:
    """The cue stays on one edge of the frame for a whole clip, where it hides no foot."""

    @pytest.mark.parametrize(("foot_y", "edge"), [(0.95, Edge.TOP), (0.6, Edge.BOTTOM), (math.nan, Edge.BOTTOM)])
    def test_feet_decide(self, foot_y: float, edge: Edge) -> None:
        landmarks = np.full((50, 33, 2), 0.4 * 360)
        landmarks[:, 27:33, 1] = foot_y * 360
        assert Style.for_size(640, 360).for_feet(landmarks, 360).cue_edge is edge
