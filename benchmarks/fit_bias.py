"""Learn the systematic error of the landmarks from clips with known angles: writes formcheck/bias_model.npz.

    python benchmarks/fit_bias.py CLIPS_FOLDER            # fit, print leave-one-body-out errors, write the model
    python benchmarks/fit_bias.py CLIPS_FOLDER --tune     # compare settings, write nothing

Every clip counts the same (`POSES_PER_CLIP` frames, evenly spread). Each clip is used twice, as filmed and mirrored:
the network's answer to the mirrored picture is another sample of its error on the same true pose. Estimated poses are
kept in the validation cache, so a second run needs no pose estimation.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import asdict, astuple, dataclass, replace
from pathlib import Path

import numpy as np

from formcheck import bias, bias_features, kinematics, metrics, view
from formcheck.adapters.video import ClipReader
from formcheck.errors import ClipError
from formcheck.types import FloatArray, Frame, PatchArray, PoseTrack, Side
from formcheck.validate import cached_poses, default_cache
from formcheck.validate.truth import TruthClip, find_truth_clips, load_truth

OUTPUT = Path(bias.__file__).with_name(bias.MODEL_FILE)
POSES_PER_CLIP = 24
MAX_ERROR_DEG = 60.0  # a toe can leave its foot by as much, and the picture tells; beyond it nothing is learnt
SIDE_VIEW_DEG = 20.0


@dataclass(frozen=True, slots=True)
class Sample:
    """One clip, as filmed or mirrored: features and true-minus-measured errors of every frame."""

    truth: TruthClip
    mirrored: bool
    features: FloatArray
    patches: PatchArray
    errors: FloatArray

    def chosen(self) -> np.ndarray:
        seen = (self.patches.max(axis=2) > 0).all(axis=1)
        known = np.flatnonzero(seen & np.isfinite(self.features).all(axis=1) & np.isfinite(self.errors).all(axis=1))
        return known[np.linspace(0, known.size - 1, POSES_PER_CLIP).astype(int)] if known.size else known


class MirroredReader:
    """A clip with every frame mirrored left to right."""

    def __init__(self, reader: ClipReader) -> None:
        self._reader = reader
        self.info = reader.info

    def __iter__(self) -> Iterator[Frame]:
        for frame in self._reader:
            yield Frame(frame.index, frame.time_s, np.ascontiguousarray(frame.image[:, ::-1]))


def samples_of(clip: Path, cache: Path) -> list[Sample]:
    truth = load_truth(clip)
    samples = []
    for mirrored in (False, True):
        poses, _ = cached_poses(clip, None, cache, MirroredReader if mirrored else None)
        track = PoseTrack.from_poses(poses)
        measured = kinematics.over_window(track)
        near = truth.near_side.other if mirrored else truth.near_side
        near_sign = np.full(len(track), 1.0 if near is Side.RIGHT else -1.0)
        columns = metrics.measure(measured.track, near_sign)
        rows = np.abs(truth.time_s[:, None] - track.time_s).argmin(axis=0)
        errors = np.stack(
            [
                truth.columns[metrics.column_name(metric, truth.near_side)][rows]
                - columns[metrics.column_name(metric, near)]
                for metric in bias.CORRECTED
            ],
            axis=1,
        )
        errors = (errors + 180.0) % 360.0 - 180.0
        turn = truth.yaw_deg - view.yaw_per_frame(track)
        errors = np.column_stack([errors, turn])
        features = bias_features.of_landmarks(measured.track, near_sign)
        patches = bias_features.of_picture(measured.track, near_sign)
        if patches is None:
            raise ClipError(f"{clip}: nobody was found in it; leave it out")
        samples.append(Sample(truth, mirrored, features, patches, errors))
    return samples


def gathered(samples: Sequence[Sample]) -> tuple[FloatArray, PatchArray, FloatArray, np.ndarray]:
    features, patches, errors, bodies = [], [], [], []
    for sample in samples:
        rows = sample.chosen()
        features.append(sample.features[rows])
        patches.append(sample.patches[rows])
        errors.append(np.clip(sample.errors[rows], -MAX_ERROR_DEG, MAX_ERROR_DEG))
        bodies.extend([sample.truth.body] * rows.size)
    return np.vstack(features), np.concatenate(patches), np.vstack(errors), np.array(bodies)


def leave_one_body_out(samples: Sequence[Sample], settings: bias.Settings) -> FloatArray:
    """Mean absolute error per metric, of clips as filmed in side view: bare, by landmarks, and with the picture."""
    errors_of: list[list[FloatArray]] = [[], [], []]
    for body in sorted({sample.truth.body for sample in samples}):
        features, patches, errors, _ = gathered([sample for sample in samples if sample.truth.body != body])
        model = bias.fit(features, patches, errors, settings)
        for sample in samples:
            if sample.truth.body == body and not sample.mirrored and sample.truth.yaw_deg <= SIDE_VIEW_DEG:
                alone = np.nan_to_num(model.predict(sample.features))
                seen = model.predict(sample.features, sample.patches)
                seen = np.where(np.isfinite(seen), seen, alone)
                for errors_in, removed in zip(errors_of, (np.zeros_like(alone), alone, seen), strict=True):
                    errors_in.append(np.nanmean(np.abs(sample.errors - removed), axis=0))
    return np.stack([np.mean(errors_in, axis=0) for errors_in in errors_of])


def report(samples: Sequence[Sample], settings: bias.Settings) -> None:
    row = "  ".join(
        f"{metric.removesuffix('_deg')} {bare:.2f} -> {alone:.2f} -> {seen:.2f}"
        for metric, bare, alone, seen in zip(
            (*bias.CORRECTED, "yaw"), *leave_one_body_out(samples, settings), strict=True
        )
    )
    print(f"{settings}: {row}", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--cache", type=Path, default=default_cache())
    parser.add_argument("--tune", action="store_true")
    arguments = parser.parse_args()
    samples: list[Sample] = []
    for clip in find_truth_clips(arguments.folder):
        samples += samples_of(clip, arguments.cache)
        print(f"read {clip.name}", flush=True)
    if arguments.tune:
        report(samples, bias.SETTINGS)
        for name, chosen in asdict(bias.SETTINGS).items():
            for factor in (1 / 3, 3.0):
                report(samples, replace(bias.SETTINGS, **{name: factor * chosen}))
        return 0
    report(samples, bias.SETTINGS)
    features, patches, errors, bodies = gathered(samples)
    features, errors = features.astype(np.float16).astype(float), errors.astype(np.float16).astype(float)
    model = bias.fit(features, patches, errors, bias.SETTINGS)
    np.savez_compressed(
        OUTPUT,
        features=features.astype(np.float16),
        patches=patches,
        errors=errors.astype(np.float16),
        weights=model.weights.astype(np.float32),
        foot_weights=model.foot_weights.astype(np.float32),
        leg_weights=model.leg_weights.astype(np.float32),
        bodies=bodies,
        settings=np.array(astuple(bias.SETTINGS)),
    )
    print(f"{OUTPUT.name}: {len(features)} poses, {features.shape[1]} features, {OUTPUT.stat().st_size // 1024} kB")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
