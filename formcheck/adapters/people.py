"""Following every person in a picture with several, so that the right one can be judged.

mediapipe's own search for several people runs on the whole picture: people close together are merged, doubled or lost
from frame to frame, and the nearer one hides the other. Its tracking of a single person, once it has hold of one, is
steady even where two people touch. So each person gets a landmarker of their own that sees only the part of the
picture around them, and a search that sees the picture with everyone known painted out looks for the rest.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

import cv2
import numpy as np

from formcheck import people
from formcheck.adapters.mediapipe import MediaPipeBackend
from formcheck.adapters.pose import BackendInfo, PoseBackend, two_steps
from formcheck.adapters.spill import TemporaryShelf
from formcheck.blocks import Shelf
from formcheck.landmarks import Landmark, side_landmark
from formcheck.people import CORE, SAME_PERSON, Choice, Person, body_size_px, distance
from formcheck.poselog import PoseLog
from formcheck.types import FloatArray, Frame, ImageArray, IntArray, Pose, Side
from formcheck.ways import needs_again

MAX_PEOPLE = 4  # each costs a landmarker's time
LOOK_EVERY_S = 0.5
MIN_SIZE_SHARE = 0.3  # of the largest person: smaller ones stand far off in the background
MIN_VISIBILITY = 0.5  # mean over the core landmarks
CONFIRM_DISTANCE = 0.5  # body sizes between two looks; a ghost of the search comes up elsewhere
LOST_S = 1.5  # not seen for this long: given up, and resumed when found again nearby
RESUME_DISTANCE = 0.8
WINDOW_MARGIN = 0.35  # of the body's size on each side: a kick or a step between two frames stays inside
BACKGROUND = 128

_LIMBS = tuple(
    (int(Landmark[one]), int(Landmark[other]))
    for one, other in (("NOSE", "LEFT_SHOULDER"), ("NOSE", "RIGHT_SHOULDER"), ("LEFT_SHOULDER", "RIGHT_SHOULDER"))
) + tuple(
    (int(side_landmark(side, one)), int(side_landmark(side, other)))
    for side in Side
    for one, other in (
        ("shoulder", "hip"),
        ("shoulder", "elbow"),
        ("elbow", "wrist"),
        ("hip", "knee"),
        ("knee", "ankle"),
        ("ankle", "foot_index"),
    )
)


class Searcher(PoseBackend, Protocol):
    """A pose backend that can find several people in a picture."""

    def detect_all(self, frame: Frame) -> tuple[Pose, ...]:
        """Every pose found in a frame; one person can come twice."""


class _Follower:
    """One person with a landmarker that sees only the picture around them."""

    def __init__(self, seed: Pose, backend: PoseBackend, shelf: Shelf | None) -> None:
        self.backend: PoseBackend | None = backend
        self.last = seed
        self.before = seed  # about a quarter of a second earlier, to tell who jumped
        self.poses = PoseLog(shelf=shelf)
        self.frames = array("q")  # the frame of each of them
        self.fresh = True  # has no hold on the person yet

    def detect(self, frame: Frame, others: list[Pose]) -> Pose:
        assert self.backend is not None
        image = paint_out(frame.image, others) if self.fresh else frame.image
        find, look_closer = two_steps(self.backend)
        shown = replace(frame, image=window_only(image, self.last))
        pose = find(shown)
        if not self.fresh and needs_again(self.last, pose):
            second = find(shown)  # from where the first one has brought the network
            pose = second if _plausible(self, second) else pose
        return look_closer(shown, pose)

    def accept(self, pose: Pose) -> None:
        self.poses.append(pose)
        self.frames.append(pose.index)
        if pose.time_s - self.before.time_s > 0.25:
            self.before = self.last
        self.last, self.fresh = pose, False

    def every_frame(self, frames: Iterable[tuple[int, float]], size_px: tuple[int, int], poses: PoseLog) -> PoseLog:
        """Fill a log with a pose for each of these frames (index and time), missing where this person was not seen."""
        seen = zip(self.frames, self.poses, strict=True)
        frame, pose = next(seen, (-1, None))
        for index, time_s in frames:
            if pose is not None and frame == index:
                poses.append(pose)
                frame, pose = next(seen, (-1, None))
            else:
                poses.append(Pose.missing(index, time_s, size_px))
        return poses

    def close(self) -> None:
        backend, self.backend = self.backend, None
        if backend is not None:
            backend.close()


class PeopleBackend:
    """Follows every person of a clip; after the last frame `choose` gives the poses of the one to judge.

    `detect` returns the pose of whoever was found first, so that a clip can be read through as with any backend. It
    need not be given every frame; `choose` then has the poses of those that it was given.

    Parameters
    ----------
    searcher : Searcher
        Finds several people in one picture; closed with this backend.
    follower : callable
        Opens a backend that follows one person.
    shelf : Shelf or None
        Where the poses of a long clip are kept; None keeps them in memory.
    """

    def __init__(self, searcher: Searcher, follower: Callable[[], PoseBackend], shelf: Shelf | None = None) -> None:
        self._searcher = searcher
        self._open_follower = follower
        self._followed: list[_Follower] = []
        self._pending: tuple[Pose, ...] = ()
        self._next_look_s = -math.inf
        self._shelf = shelf
        self._indexes = array("q")  # of every frame that was given
        self._times_s = array("d")
        self._size_px = (0, 0)

    @classmethod
    def open(cls, model: Path | str | None = None) -> Self:
        """Start the search; raises `ModelError` as `MediaPipeBackend.open`."""
        searcher = MediaPipeBackend.open(model, search=MAX_PEOPLE - 1)
        return cls(searcher, lambda: MediaPipeBackend.open(model), TemporaryShelf())

    @property
    def info(self) -> BackendInfo:
        """Of the model that searches and follows."""
        return self._searcher.info

    def detect(self, frame: Frame) -> Pose:
        """Follow everyone into the next frame; returns the pose of the person found first."""
        height, width = frame.image.shape[:2]
        self._size_px = (width, height)
        self._indexes.append(frame.index)
        self._times_s.append(frame.time_s)
        if self._pending or frame.time_s >= self._next_look_s:
            self._look(frame)
        active = [person for person in self._followed if person.backend is not None]
        found: list[tuple[_Follower, Pose]] = []
        for person in active:
            others = [other.last for other in active if other is not person]
            pose = person.detect(frame, others)
            if pose.found and _plausible(person, pose):
                found.append((person, pose))
        for person, pose in self._without_collisions(found):
            person.accept(pose)
        for person in active:
            if frame.time_s - person.last.time_s > LOST_S:
                person.close()
        first = self._followed[0] if self._followed else None
        if first is not None and first.frames and first.frames[-1] == frame.index:
            return first.last
        return Pose.missing(frame.index, frame.time_s, self._size_px)

    def choose(self, wanted: Person | None = None) -> Choice:
        """Choose the person to judge, as `formcheck.people.choose`."""
        tracks = [
            person.every_frame(self._given(), self._size_px, PoseLog(shelf=self._shelf)) for person in self._followed
        ]
        if not tracks:
            nobody = PoseLog(shelf=self._shelf)
            for index, time_s in self._given():
                nobody.append(Pose.missing(index, time_s, self._size_px))
            tracks.append(nobody)
        return people.choose(tracks, wanted)

    def _given(self) -> Iterable[tuple[int, float]]:
        """Index and time of each frame that `detect` was given."""
        return zip(self._indexes, self._times_s, strict=True)

    def close(self) -> None:
        """Free every landmarker. Closing twice is allowed."""
        for person in self._followed:
            person.close()
        self._searcher.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _look(self, frame: Frame) -> None:
        """Search for people who are not followed; whoever is found in two looks in a row is followed from there."""
        self._next_look_s = frame.time_s + LOOK_EVERY_S
        active = [person for person in self._followed if person.backend is not None]
        confirming, self._pending = self._pending, ()
        if len(active) >= MAX_PEOPLE:
            return
        found = find_others(self._searcher, frame, [person.last for person in active])
        for pose in found:
            if not any(distance(pose, earlier) < CONFIRM_DISTANCE for earlier in confirming):
                self._pending += (pose,)
            elif len(active) < MAX_PEOPLE:
                active.append(self._follow(pose))
        if confirming:
            self._pending = ()

    def _follow(self, pose: Pose) -> _Follower:
        gone = [person for person in self._followed if person.backend is None]
        near = [person for person in gone if distance(person.last, pose) < RESUME_DISTANCE]
        if near:
            person = min(near, key=lambda lost: distance(lost.last, pose))
            person.backend, person.last, person.before, person.fresh = self._open_follower(), pose, pose, True
            return person
        person = _Follower(pose, self._open_follower(), self._shelf)
        self._followed.append(person)
        return person

    def _without_collisions(self, found: list[tuple[_Follower, Pose]]) -> list[tuple[_Follower, Pose]]:
        """Where two followers see one person, keep the one who was there; the other one is lost."""
        kept: list[tuple[_Follower, Pose]] = []
        for person, pose in sorted(found, key=lambda pair: distance(pair[0].before, pair[1])):
            if all(distance(pose, other) > SAME_PERSON for _, other in kept):
                kept.append((person, pose))
                continue
            person.close()  # found again by the next search, if there is anyone
        return kept


def find_others(searcher: Searcher, frame: Frame, known: list[Pose]) -> tuple[Pose, ...]:
    """People in a frame besides the known ones; one pose for each.

    The known are painted out first, since whoever is nearer draws the search to them.
    """
    image = paint_out(frame.image, known)
    found: list[Pose] = []
    for _ in range(2):
        new = people.distinct([pose for pose in searcher.detect_all(replace(frame, image=image)) if _clear(pose)])
        largest = max([body_size_px(pose) for pose in (*known, *found, *new)], default=0.0)
        new = tuple(
            pose
            for pose in new
            if body_size_px(pose) >= MIN_SIZE_SHARE * largest
            and all(distance(pose, other) > SAME_PERSON for other in (*known, *found))
        )
        found.extend(new)
        if not new:
            break
        image = paint_out(image, list(new))
    return tuple(found)


def _clear(pose: Pose) -> bool:
    return bool(pose.visibility[list(CORE)].mean() >= MIN_VISIBILITY)


def _plausible(person: _Follower, pose: Pose) -> bool:
    """A person neither leaps nor changes size between two frames."""
    size, last = body_size_px(pose), body_size_px(person.last)
    return distance(pose, person.last) < RESUME_DISTANCE and 0.4 < size / max(last, 1.0) < 2.5


def paint_out(image: ImageArray, poses: list[Pose]) -> ImageArray:
    """Copy a picture with the given people covered in grey along head, trunk and limbs."""
    if not poses:
        return image
    covered = image.copy()
    for pose in poses:
        points = np.clip(np.nan_to_num(pose.image_px), -20000, 20000).astype(int)
        trunk = float(np.linalg.norm(_middle(points, "shoulder") - _middle(points, "hip")))
        breadth = max(3, int(0.35 * max(trunk, 0.25 * body_size_px(pose))))
        grey = (BACKGROUND,) * 3
        for one, other in _LIMBS:
            cv2.line(covered, tuple(points[one].tolist()), tuple(points[other].tolist()), grey, breadth)
        cv2.circle(covered, tuple(points[Landmark.NOSE].tolist()), breadth, grey, -1)
    return covered


def _middle(points: IntArray, name: str) -> FloatArray:
    return np.asarray(points[[side_landmark(side, name) for side in Side]].mean(axis=0))


def window_only(image: ImageArray, around: Pose) -> ImageArray:
    """Copy a picture with everything grey but the part around a person.

    The size stays, so that landmarks and the landmarker's own memory of where the person was need no conversion.
    """
    height, width = image.shape[:2]
    margin = WINDOW_MARGIN * body_size_px(around)
    low = np.clip(around.image_px.min(axis=0) - margin, 0, (width, height)).astype(int)
    high = np.clip(around.image_px.max(axis=0) + margin, 0, (width, height)).astype(int)
    shown = np.full_like(image, BACKGROUND)
    inside = (slice(low[1], high[1]), slice(low[0], high[0]))
    shown[inside] = image[inside]
    return shown
