"""Every dataclass and enum that crosses from one stage to the next.

Conventions, for all of them:

- Times are seconds (`_s`) of the clip's own presentation clock, as `float`.
- Image positions are pixels (`_px`) of the upright (rotation applied) frame, x to the right, y down.
- World positions are metres (`_m`) around the mid-hip, MediaPipe's axes: x to the image's right, y down,
  z away from the camera.
- Angles are degrees (`_deg`), clinical and signed: 0 is anatomical neutral (see `formcheck.metrics`).
- A missing number is NaN, never 0.
- Left and right are the person's own.
"""

from __future__ import annotations

from formcheck.types.basics import (
    LANDMARK_COUNT,
    OUTLINE_POINTS,
    OUTLINE_SHAPE,
    PATCH_BINS,
    PATCH_CELLS,
    PATCH_SIZE,
    PATCHES_SHAPE,
    BoolArray,
    FloatArray,
    ImageArray,
    IntArray,
    Kind,
    PatchArray,
    Phase,
    Position,
    Rate,
    Scope,
    Side,
    Status,
    Strength,
)
from formcheck.types.poses import CompactColumns, Frame, Measurement, MeasurementTable, Pose, PoseTrack, Track
from formcheck.types.results import (
    Analysis,
    ClipInfo,
    Cue,
    ExerciseInfo,
    NeutralPose,
    Outcome,
    Rep,
    Report,
    ToolInfo,
    Update,
    View,
)

__all__ = [
    "LANDMARK_COUNT",
    "OUTLINE_POINTS",
    "OUTLINE_SHAPE",
    "PATCHES_SHAPE",
    "PATCH_BINS",
    "PATCH_CELLS",
    "PATCH_SIZE",
    "Analysis",
    "BoolArray",
    "ClipInfo",
    "CompactColumns",
    "Cue",
    "ExerciseInfo",
    "FloatArray",
    "Frame",
    "ImageArray",
    "IntArray",
    "Kind",
    "Measurement",
    "MeasurementTable",
    "NeutralPose",
    "Outcome",
    "PatchArray",
    "Phase",
    "Pose",
    "PoseTrack",
    "Position",
    "Rate",
    "Rep",
    "Report",
    "Scope",
    "Side",
    "Status",
    "Strength",
    "ToolInfo",
    "Track",
    "Update",
    "View",
]
