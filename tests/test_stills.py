"""Stills: only the frames that are needed, the right ones, cut to the person, drawn on, and bounded."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import filmed
import numpy as np
import pytest
from clip_factory import steady, write_clip
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from formcheck import stills
from formcheck.adapters.video import ClipReader
from formcheck.adapters.video_frames import FrameShaper
from formcheck.errors import ClipError
from formcheck.reports.moments import Moment, moments
from formcheck.stills import LARGE_PX, MOST_OBLONG, SMALL_PX, person_box, take_stills, write_page
from formcheck.types import Analysis, ImageArray

NAME = "romanian-deadlift: rounded, head dropped"
SIZE = (640, 360)  # half of the filmed poses' frames


def grey_level(index: int) -> int:
    return 16 + index % 200


def picture(index: int) -> ImageArray:
    return np.full((SIZE[1], SIZE[0], 3), grey_level(index), dtype=np.uint8)


@pytest.fixture(scope="module")
def analysis() -> Analysis:
    """The filmed analysis with its landmarks in the clip's smaller frames."""
    found = filmed.analysis(NAME)
    outline_px = found.track.outline_px
    assert outline_px is not None
    track = replace(found.track, image_px=found.track.image_px / 2, outline_px=outline_px / 2, size_px=SIZE)
    return replace(found, track=track)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory, analysis: Analysis) -> Path:
    path = tmp_path_factory.mktemp("clips") / "plain.mp4"
    return write_clip(path, picture, analysis.track.time_s.tolist(), codec_options={"preset": "ultrafast"})


def opened(jpeg: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(jpeg)).convert("RGB"))


class TestPick:
    def test_the_frames_of_these_times_and_no_others_are_converted(self, clip, analysis, monkeypatch):
        converted = []
        whole = FrameShaper.image

        def count(self, frame):
            converted.append(frame.pts)
            return whole(self, frame)

        monkeypatch.setattr(FrameShaper, "image", count)
        times = analysis.track.time_s[[50, 3, 20]].tolist()
        with ClipReader(clip) as reader:
            frames = list(reader.pick(times))
        assert [frame.index for frame in frames] == [3, 20, 50]
        assert len(converted) == 3
        for frame in frames:
            assert frame.image[0, 0, 0] == pytest.approx(grey_level(frame.index), abs=3)

    def test_one_frame_can_be_asked_for_twice(self, clip, analysis):
        time_s = float(analysis.track.time_s[7])
        with ClipReader(clip) as reader:
            assert [frame.index for frame in reader.pick([time_s, time_s, time_s - 0.01])] == [7, 7, 7]

    def test_times_after_the_end_give_nothing(self, clip, analysis):
        with ClipReader(clip) as reader:
            assert [frame.index for frame in reader.pick([0.0, 1e6])] == [0]
        with ClipReader(clip) as reader:
            assert list(reader.pick([])) == []

    def test_it_reads_no_further_than_needed(self, tmp_path):
        path = write_clip(tmp_path / "a.mp4", picture, steady(400), codec_options={"preset": "ultrafast"})
        data = bytearray(path.read_bytes())
        data[-len(data) // 5 :] = b"\xff" * len(data[-len(data) // 5 :])
        with ClipReader(path) as reader:
            assert next(reader.pick([1.0])).time_s == pytest.approx(1.0)
            assert reader.warnings == []

    def test_a_reader_is_read_once(self, clip):
        with ClipReader(clip) as reader:
            list(reader.pick([0.0]))
            with pytest.raises(RuntimeError, match="once"):
                iter(reader)


class TestBox:
    @given(
        st.lists(st.tuples(st.floats(-200, 2200), st.floats(-200, 1300)), min_size=1, max_size=33),
        st.sampled_from([(1920, 1080), (1080, 1920), (640, 480)]),
    )
    def test_it_lies_in_the_frame_and_holds_what_is_seen(self, points, size):
        left, top, right, bottom = person_box(np.array(points), size)
        assert 0 <= left < right <= size[0]
        assert 0 <= top < bottom <= size[1]
        for x, y in points:
            if 0 <= x <= size[0] and 0 <= y <= size[1]:
                assert left - 1 <= x <= right + 1
                assert top - 1 <= y <= bottom + 1

    def test_nobody_gives_the_whole_frame(self):
        assert person_box(np.full((33, 2), np.nan), SIZE) == (0, 0, *SIZE)

    def test_a_small_person_fills_the_picture_without_a_thin_strip(self):
        points = np.tile([960.0, 500.0], (33, 1))
        points[:, 1] += np.linspace(-200, 200, 33)
        left, top, right, bottom = person_box(points, (1920, 1080))
        assert bottom - top < 700
        assert (bottom - top) / (right - left) <= MOST_OBLONG + 0.01


class TestStills:
    def test_every_moment_has_its_picture_in_order(self, clip, analysis):
        wanted = moments(analysis.report)
        taken = take_stills(clip, analysis, wanted)
        assert [still.moment for still in taken] == list(wanted)
        for still in taken:
            assert still.time_s == pytest.approx(still.moment.time_s, abs=0.05)
            image = opened(still.jpeg)
            assert image.shape[:2] == (still.height, still.width)
            assert max(image.shape) <= (LARGE_PX if still.moment.first else SMALL_PX)

    def test_what_the_finding_is_about_is_marked(self, clip, analysis):
        first = moments(analysis.report)[0]
        plain = replace(first, outcome=None)
        marked, unmarked = take_stills(clip, analysis, [first, plain])
        level = grey_level(int(np.argmin(np.abs(analysis.track.time_s - first.time_s))))

        def orange(jpeg: bytes) -> int:
            image = opened(jpeg).astype(int)
            return int(((image[..., 0] > 170) & (image[..., 2] < 60)).sum())

        assert (np.abs(opened(unmarked.jpeg).astype(int) - level) > 40).mean() > 0.01, "the skeleton is drawn"
        assert orange(marked.jpeg) > orange(unmarked.jpeg)

    def test_a_back_that_rises_above_hips_and_shoulders_is_in_the_picture(self, clip, analysis, monkeypatch):
        raised = analysis.track.outline_px - [0.0, 70.0]
        high = replace(analysis, track=replace(analysis.track, outline_px=raised))
        drawn, seen = stills.draw, []

        def watch(image, update, **options):
            seen.append((image.shape, update.pose.outline_px))
            return drawn(image, update, **options)

        monkeypatch.setattr(stills, "draw", watch)
        take_stills(clip, high, [moment for moment in moments(analysis.report) if moment.outcome is not None])
        assert seen
        for shape, outline_px in seen:
            points = outline_px[np.isfinite(outline_px).all(axis=-1)]
            assert len(points) > 20
            assert (points >= 0).all()
            assert (points <= [shape[1], shape[0]]).all()

    def test_pictures_to_compare_are_cut_alike(self, clip, analysis):
        rest, deepest = (
            still for still in take_stills(clip, analysis, moments(analysis.report)) if not still.moment.outcome
        )
        assert (rest.width, rest.height) == (deepest.width, deepest.height)
        assert rest.time_s < deepest.time_s

    def test_progress_goes_to_the_last_moment(self, clip, analysis):
        seen = []
        take_stills(clip, analysis, moments(analysis.report), on_progress=lambda *done: seen.append(done))
        assert seen[-1][0] == pytest.approx(seen[-1][1], abs=0.05)

    def test_nothing_wanted_opens_no_clip(self, analysis):
        assert take_stills("missing.mp4", analysis, ()) == ()

    def test_a_clip_that_went_away_is_said(self, analysis):
        with pytest.raises(ClipError, match=r"missing\.mp4"):
            take_stills("missing.mp4", analysis, [Moment(1.0, None)])

    def test_what_cannot_be_read_any_more_is_left_out(self, clip, analysis):
        (only,) = take_stills(clip, analysis, [Moment(1e6, None), Moment(0.5, None)])
        assert only.moment.time_s == 0.5

    def test_one_frame_is_held_at_a_time(self, clip, analysis, monkeypatch):
        alive: list[int] = []
        drawn = stills.draw

        def watch(image, *args, **options):
            alive.append(image.base.nbytes)
            return drawn(image, *args, **options)

        monkeypatch.setattr(stills, "draw", watch)
        taken = take_stills(clip, analysis, moments(analysis.report))
        assert alive == [SIZE[0] * SIZE[1] * 3] * len(taken)
        assert sum(len(still.jpeg) for still in taken) < 12 * 100_000

    def test_the_whole_page(self, clip, analysis):
        text = write_page(clip, analysis)
        assert text.count("data:image/jpeg;base64,") == len(moments(analysis.report))
        assert len(text) < 2_000_000


def test_the_outline_of_the_back_moves_with_the_cut_out_part(clip, analysis, monkeypatch):
    points = analysis.track.image_px
    outline = np.stack([points[:, :21], points[:, 12:33], points[:, 6:27]], axis=1)
    seen = replace(analysis, track=replace(analysis.track, outline_px=outline))
    drawn = []
    monkeypatch.setattr(stills, "draw", lambda image, update, **_: drawn.append(update.pose) or image)
    take_stills(clip, seen, moments(seen.report))
    assert drawn
    for pose in drawn:
        assert pose.outline_px[0] == pytest.approx(pose.image_px[:21], nan_ok=True)
