"""Live sessions: the newest frame only, the same verdicts as a file, and everything freed at the end."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import cases
import numpy as np
import pytest
import synthetic
from cases import ExerciseCase, exercise_cases

from formcheck import accuracy
from formcheck.adapters.pose import BackendInfo
from formcheck.adapters.video import ClipReader
from formcheck.coach import Tone
from formcheck.coach.setup import STILL_S
from formcheck.errors import ModelError
from formcheck.exercises import EXERCISES
from formcheck.live import LiveError, LiveSession, Places, Plan, Snapshot, Stage, UnrecognisedError, draw_live, places
from formcheck.live import course as course_module
from formcheck.live import session as session_module
from formcheck.live.picture import mirrored
from formcheck.live.session import fitted
from formcheck.live.slot import Slot
from formcheck.pipeline import analyze_clip, analyze_poses
from formcheck.types import Analysis, ClipInfo, Frame, Outcome, Pose, Side, Status

SAMPLES = Path(__file__).parent.parent / "sample_videos"
CASES = exercise_cases()
INFO = BackendInfo("0", "none", "0")
CURL = Plan(EXERCISES["prone-leg-curl"], setup=False)


class Replay:
    """A pose backend that knows the poses beforehand, and notes in which thread it was used."""

    def __init__(self, poses: Sequence[Pose], delay_s: float = 0.0, fail_at: int = -1) -> None:
        self._poses = {round(pose.time_s * 1000): pose for pose in poses}
        self._delay_s = delay_s
        self._fail_at = fail_at
        self.seen: list[Frame] = []
        self.threads: set[int] = set()
        self.closed = 0

    info = INFO

    def detect(self, frame: Frame) -> Pose:
        self.threads.add(threading.get_ident())
        self.seen.append(frame)
        time.sleep(self._delay_s)
        if len(self.seen) == self._fail_at:
            raise ModelError("the model failed on purpose")
        pose = self._poses.get(round(frame.time_s * 1000))
        if pose is None:
            return Pose.missing(frame.index, frame.time_s, (frame.image.shape[1], frame.image.shape[0]))
        return replace(pose, index=frame.index, time_s=frame.time_s)

    def close(self) -> None:
        self.threads.add(threading.get_ident())
        self.closed += 1

    def __enter__(self) -> Replay:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@pytest.fixture
def fixed_sigma(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accuracy, "sigma", cases.sigma)


def case(exercise: str, name: str = "good") -> ExerciseCase:
    return next(item for item in CASES if item.exercise == exercise and item.name == name)


def frames(poses: Sequence[Pose], clock_s: float = 0.0) -> Iterator[Frame]:
    width, height = poses[0].size_px
    image = np.full((height // 8, width // 8, 3), 120, dtype=np.uint8)
    image = np.broadcast_to(image, image.shape)
    for pose in poses:
        yield Frame(pose.index, pose.time_s + clock_s, image)


def scaled(poses: Sequence[Pose]) -> list[Pose]:
    """Poses in pixels of the small pictures of `frames`."""
    return [fitted(pose, (pose.size_px[0] // 8, pose.size_px[1] // 8)) for pose in poses]


def play(session: LiveSession, poses: Sequence[Pose], clock_s: float = 0.0) -> list[Snapshot]:
    """Offer every frame and wait for each, so that none is left out."""
    snapshots = []
    for frame in frames(poses, clock_s):
        session.offer(frame)
        assert session.wait()
        snapshots.append(session.snapshot())
    return snapshots


def spoken(snapshots: Sequence[Snapshot]) -> list[str]:
    said = {number: saying.text for snapshot in snapshots for number, saying in snapshot.sayings}
    assert list(said) == list(range(1, len(said) + 1))
    return list(said.values())


def live(plan: Plan, poses: Sequence[Pose], clock_s: float = 0.0) -> tuple[list[Snapshot], Analysis, Replay]:
    backend = Replay(scaled(poses))
    with LiveSession(plan, open_backend=lambda: backend, places=Places(1)) as session:
        snapshots = play(session, poses, clock_s)
    return snapshots, session.report(), backend


def short(outcomes: Sequence[Outcome]) -> list[tuple[str, int | None, Status]]:
    return [(outcome.rule, outcome.rep, outcome.status) for outcome in outcomes]


def assert_same_neutral(one: Analysis, other: Analysis) -> None:
    first, second = one.report.neutral, other.report.neutral
    assert first is not None
    assert second is not None
    assert (first.side, first.reason) == (second.side, second.reason)
    # live poses are kept rounded to a ten-thousandth of a pixel: a speed at the limit may fall on its other side
    assert (first.start_s, first.end_s) == pytest.approx((second.start_s, second.end_s), abs=0.05)
    assert first.seen == pytest.approx(second.seen, abs=0.05)
    assert first.offsets == pytest.approx(second.offsets, abs=0.05)


@pytest.mark.parametrize("exercise", ["romanian-deadlift", "prone-leg-curl", "standing-toe-touch"])
def test_a_live_set_gets_the_report_of_a_file(exercise: str, fixed_sigma: None) -> None:
    poses = case(exercise).film(noise_px=0.5)
    plan = Plan(EXERCISES[exercise], setup=False)
    snapshots, analysis, _ = live(plan, poses, clock_s=1234.5)
    small = scaled(poses)
    clip = ClipInfo("live session", 0.0, 0, *small[0].size_px, 0, 0.0)
    file = analyze_poses(small, clip, INFO, exercise=EXERCISES[exercise])
    assert short(analysis.report.outcomes) == short(file.report.outcomes)
    assert [rep.start_s for rep in analysis.report.reps] == pytest.approx([rep.start_s for rep in file.report.reps])
    assert analysis.report.clip.duration_s == pytest.approx(poses[-1].time_s)
    assert analysis.report.clip.frames == len(poses)
    assert analysis.report.tool == file.report.tool
    assert_same_neutral(analysis, file)
    assert snapshots[-1].stage is Stage.SET
    assert snapshots[-1].update is not None
    assert snapshots[-1].update.rep_count == len(file.report.reps)


def test_the_set_begins_with_the_quiet_start_before_the_countdown(fixed_sigma: None) -> None:
    poses = replace(case("romanian-deadlift"), timing={"out_s": 1.8, "back_s": 1.6, "still_s": 7.0}).film(
        size_px=(640, 720), px_per_m=300.0
    )
    snapshots, analysis, _ = live(Plan(EXERCISES["romanian-deadlift"]), poses)
    assert [snapshot.stage for snapshot in snapshots if snapshot.update] == sorted(
        (snapshot.stage for snapshot in snapshots), key=lambda stage: stage is Stage.SET
    )
    begun = next(s.frame_time_s for s in snapshots if s.stage is Stage.SET)
    assert begun == pytest.approx(5.0, abs=0.2)
    assert analysis.report.clip.duration_s == pytest.approx(poses[-1].time_s, abs=0.1)  # still from the first frame
    assert len(analysis.report.reps) == 2
    pose = analysis.report.neutral
    assert pose is not None
    assert pose.start_s == pytest.approx(0.0, abs=0.1)
    assert pose.end_s == pytest.approx(STILL_S, abs=0.1)
    assert spoken(snapshots) == ["Good. Hold still for two seconds.", "3", "2", "1", "Go.", "1", "2"]


def test_a_planted_fault_is_said_during_the_set(fixed_sigma: None) -> None:
    poses = case("romanian-deadlift", "knees bent backwards").film()
    snapshots, analysis, _ = live(Plan(EXERCISES["romanian-deadlift"], setup=False), poses)
    cue = next(o.cue for o in analysis.report.outcomes if o.rule == "locked-knees" and o.status is Status.FAULT)
    assert spoken(snapshots)[:2] == ["1", cue]
    shown = [s.coaching.cue.text for s in snapshots if s.coaching and s.coaching.cue]
    assert set(shown) == {cue}


def test_the_exercise_is_recognised_and_judged_from_the_beginning(fixed_sigma: None) -> None:
    slow = replace(case("romanian-deadlift"), reps=5)
    poses = slow.film(noise_px=0.5)
    snapshots, analysis, _ = live(Plan(setup=False), poses)
    known = next(row for row, snapshot in enumerate(snapshots) if snapshot.exercise is not None)
    assert poses[known].time_s >= course_module.LOOK_FROM_S
    assert [s.exercise.id for s in snapshots[known:] if s.exercise] == ["romanian-deadlift"] * (len(poses) - known)
    update = snapshots[known].update
    assert update is not None
    assert update.rep_count >= 1
    assert "Romanian deadlift." in spoken(snapshots)
    assert (analysis.report.exercise.name, analysis.report.exercise.given) == ("romanian-deadlift", False)
    assert len(analysis.report.reps) == 5


def test_what_is_not_recognised_is_asked_for(fixed_sigma: None) -> None:
    keys = [synthetic.Key(0.0, knee=8, hip=5), synthetic.Key(9.0, knee=8, hip=5)]
    poses = synthetic.film(keys, fps=20.0)
    backend = Replay(scaled(poses))
    with LiveSession(Plan(setup=False), open_backend=lambda: backend, places=Places(1)) as session:
        snapshots = play(session, poses)
    assert all(snapshot.exercise is None for snapshot in snapshots)
    with pytest.raises(UnrecognisedError, match="please say which exercise it was"):
        session.report()
    report = session.report(EXERCISES["romanian-deadlift"]).report
    assert (report.exercise.name, report.exercise.given) == ("romanian-deadlift", True)
    assert session.report(EXERCISES["good-morning"]).report.exercise.name == "good-morning"


def test_the_asked_for_leg_is_judged(fixed_sigma: None) -> None:
    plan = Plan(EXERCISES["prone-leg-curl"], Side.LEFT, setup=False)
    report = live(plan, case("prone-leg-curl").film())[1].report
    assert {rep.side for rep in report.reps} == {Side.LEFT}


def test_the_landmarker_lives_and_dies_in_the_worker_thread() -> None:
    _, _, backend = live(CURL, case("prone-leg-curl").film()[:20])
    assert backend.closed == 1
    assert len(backend.threads) == 1
    assert threading.get_ident() not in backend.threads


def test_offering_never_waits_and_only_the_newest_frame_counts() -> None:
    poses = case("prone-leg-curl").film()[:60]
    backend = Replay(scaled(poses), delay_s=0.05)
    with LiveSession(CURL, open_backend=lambda: backend, places=Places(1)) as s:
        slowest = 0.0
        for frame in frames(poses):
            before = time.perf_counter()
            s.offer(frame)
            slowest = max(slowest, time.perf_counter() - before)
            time.sleep(0.005)
        assert s.wait()
        snapshot = s.snapshot()
    assert slowest < 0.05
    assert len(backend.seen) < 40
    times = [frame.time_s for frame in backend.seen]
    assert times == sorted(times)
    assert snapshot.frame_time_s == pytest.approx(poses[-1].time_s)  # the last one offered is always done


def test_start_and_stop_again_and_again() -> None:
    poses = case("prone-leg-curl").film()[:10]
    room = Places(1)
    backends = [Replay(scaled(poses)) for _ in range(8)]
    for backend in backends:
        session = LiveSession(CURL, open_backend=lambda b=backend: b, places=room)
        session.start()
        play(session, poses)
        session.stop()
        session.stop()
        assert not session.running
    assert [backend.closed for backend in backends] == [1] * 8
    assert room.free == 1
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("formcheck-")]


def test_a_session_is_for_one_set() -> None:
    session = LiveSession(Plan(), open_backend=lambda: Replay(()), places=Places(2))
    session.start()
    with pytest.raises(LiveError, match="started before"):
        session.start()
    session.stop()


def test_stopping_without_a_frame_or_before_the_set_says_so() -> None:
    session = LiveSession(Plan(), open_backend=lambda: Replay(()), places=Places(1))
    with pytest.raises(LiveError, match="had not begun"):
        session.report()
    with session:
        play(session, synthetic.film([synthetic.Key(0.0), synthetic.Key(1.0)])[:5])
    with pytest.raises(LiveError, match="had not begun"):
        session.report()


def test_no_more_sessions_than_places() -> None:
    room = Places(2)
    sessions = [LiveSession(Plan(), open_backend=lambda: Replay(()), places=room).start() for _ in range(2)]
    assert room.free == 0
    with pytest.raises(LiveError, match=r"2 live sessions are running .* please wait"):
        LiveSession(Plan(), open_backend=lambda: Replay(()), places=room).start()
    sessions[0].stop()
    LiveSession(Plan(), open_backend=lambda: Replay(()), places=room).start().stop()
    sessions[1].stop()
    assert room.free == 2


def test_there_are_two_places_at_least() -> None:
    assert places.PLACES.count >= 2


@pytest.mark.parametrize(
    ("open_backend", "words"),
    [
        (lambda: Replay((), fail_at=2), "the model failed on purpose"),
        (lambda: (_ for _ in ()).throw(ModelError("no model here")), "no model here"),
        (lambda: 1 / 0, r"internal error \(ZeroDivisionError"),
    ],
    ids=["while it runs", "at the start", "a mistake of ours"],
)
def test_errors_come_to_the_page_and_free_the_place(open_backend: Callable[[], Replay], words: str) -> None:
    room = Places(1)
    session = LiveSession(Plan(setup=False), open_backend=open_backend, places=room).start()
    for frame in frames(synthetic.film([synthetic.Key(0.0), synthetic.Key(1.0)])[:5]):
        session.offer(frame)
        session.wait()
    session.stop()
    assert session.snapshot().stage is Stage.FAILED
    assert room.free == 1
    with pytest.raises(LiveError if "model failed" not in words else UnrecognisedError):
        session.report()
    assert re.search(words, session.snapshot().error)


def test_a_camera_that_goes_silent_ends_the_session(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_module, "SILENT_S", 0.1)
    room = Places(1)
    session = LiveSession(Plan(), open_backend=lambda: Replay(()), places=room).start()
    until = time.monotonic() + 10.0
    while session.running and time.monotonic() < until:
        time.sleep(0.02)
    assert session.snapshot().stage is Stage.ENDED
    assert "no picture" in session.snapshot().error
    assert room.free == 1


def test_a_session_ends_by_itself_after_an_hour() -> None:
    poses = synthetic.film([synthetic.Key(0.0), synthetic.Key(1.0)])[:3]
    late = [poses[0], replace(poses[1], time_s=session_module.LONGEST_S + 1.0), poses[2]]
    session = LiveSession(Plan(setup=False), open_backend=lambda: Replay(scaled(poses)), places=Places(1)).start()
    for frame in frames(late):
        session.offer(frame)
        session.wait()
    session.stop()
    assert session.snapshot().stage is Stage.ENDED
    assert "an hour" in session.snapshot().error


def test_a_clock_that_stands_still_or_goes_back_is_borne() -> None:
    poses = synthetic.film([synthetic.Key(0.0), synthetic.Key(1.0)])[:6]
    odd = [poses[0], poses[1], poses[1], poses[0], poses[2]]
    backend = Replay(scaled(poses))
    with LiveSession(Plan(setup=False), open_backend=lambda: backend, places=Places(1)) as session:
        play(session, odd)
    assert session.snapshot().frames == 3
    assert len(backend.seen) == 3


def test_a_camera_may_change_the_size_of_its_picture() -> None:
    pose = synthetic.film([synthetic.Key(0.0), synthetic.Key(1.0)], size_px=(640, 480))[0]
    half = fitted(pose, (320, 240))
    assert half.size_px == (320, 240)
    np.testing.assert_allclose(half.image_px * 2, pose.image_px)
    np.testing.assert_array_equal(half.world_m, pose.world_m)
    assert fitted(pose, (640, 480)) is pose


def test_the_setup_can_be_skipped() -> None:
    poses = synthetic.film([synthetic.Key(0.0), synthetic.Key(3.0)], fps=20.0)  # too far away, and never asked
    session = LiveSession(Plan(EXERCISES["romanian-deadlift"]), open_backend=lambda: Replay(()), places=Places(1))
    with session:
        assert {snapshot.stage for snapshot in play(session, poses[:20])} == {Stage.SETUP}
        session.skip_setup()
        after = play(session, poses[20:30])
    assert {snapshot.stage for snapshot in after} == {Stage.SET}
    assert "Go." in spoken(after)


def test_the_slot_holds_one_frame() -> None:
    slot = Slot()
    first, second = list(frames(synthetic.film([synthetic.Key(0.0), synthetic.Key(1.0)])[:2]))
    slot.put(first)
    slot.put(second)
    assert slot.dropped == 1
    assert slot.take(0.0) is second
    assert slot.take(0.0) is None
    assert slot.wait_until_done(0.0)
    slot.close()
    slot.put(first)
    assert slot.take(1.0) is None


@pytest.mark.parametrize("mirror", [False, True])
def test_the_picture_shows_the_person(mirror: bool) -> None:
    poses = case("prone-leg-curl").film()[:10]
    backend = Replay(poses)
    image = np.full((720, 1280, 3), 90, dtype=np.uint8)
    image[:, :10] = 200
    with LiveSession(CURL, open_backend=lambda: backend, places=Places(1)) as s:
        for pose in poses:
            s.offer(Frame(0, pose.time_s, image))
            s.wait()
        snapshot = s.snapshot()
    drawn = draw_live(image, poses[-1].time_s, snapshot, mirror=mirror)
    assert drawn.shape == image.shape
    assert (drawn[:, -1 if mirror else 0] == 200).all()
    assert (image[:, 10:] == 90).all()
    assert snapshot.update is not None
    pose = mirrored(snapshot.update.pose) if mirror else snapshot.update.pose
    x, y = np.round(pose.image_px[26]).astype(int)  # the right knee
    assert (drawn[y - 2 : y + 3, x - 2 : x + 3] != 90).any()
    stale = draw_live(image, poses[-1].time_s + 5.0, snapshot, mirror=mirror)
    np.testing.assert_array_equal(stale, image[:, ::-1] if mirror else image)


def test_tones_reach_the_snapshot() -> None:
    snapshots, _, _ = live(CURL, case("prone-leg-curl").film())
    assert Tone.REP in {saying.tone for _, saying in snapshots[-1].sayings}


@pytest.mark.model
@pytest.mark.parametrize(
    ("name", "exercise"),
    [
        ("07-romanian-deadlift-locked-knees-yaw-10", "romanian-deadlift"),
        ("02-prone-leg-curl-missing-plantarflexion", None),
    ],
)
def test_a_clip_played_live_gets_the_verdicts_of_the_file(name: str, exercise: str | None) -> None:
    clip = SAMPLES / f"{name}.mp4"
    known = EXERCISES[exercise] if exercise else None
    session = LiveSession(Plan(known, setup=False), places=Places(1)).start()
    with ClipReader(clip) as reader:
        for frame in reader:
            session.offer(frame)
            assert session.wait()
    one, other = session.report().report, analyze_clip(clip, exercise=known).report
    assert short(one.outcomes) == short(other.outcomes)
    assert [o.measured for o in one.outcomes] == pytest.approx(
        [o.measured for o in other.outcomes], abs=1e-2, nan_ok=True
    )
    assert one.exercise.name == other.exercise.name
    assert one.view.near_side is other.view.near_side
    assert one.view.usable == other.view.usable


def test_the_outline_follows_a_change_of_picture_size_and_is_not_drawn_in_a_mirror() -> None:
    pose = synthetic.film([synthetic.Key(0.0), synthetic.Key(1.0)])[0]
    seen = replace(pose, outline_px=np.stack([pose.image_px[:21], pose.image_px[12:], pose.image_px[6:27]]))
    half = (pose.size_px[0] // 2, pose.size_px[1] // 2)
    assert fitted(seen, half).outline_px == pytest.approx(seen.outline_px / 2, nan_ok=True)
    assert mirrored(seen).outline_px is None
