"""The symptom check: what is felt, and what was measured, to what may help. It never names a diagnosis.

- `questions`: the questionnaire as data (`Answers`).
- `measured`: what the last session says about the causes that a camera can see.
- `advice`: the answers and the measured to advice (`advise`).
"""

from formcheck.symptoms.advice import Advice, Kind, advise
from formcheck.symptoms.measured import Seen, measured_in
from formcheck.symptoms.questions import Activity, Answers, Change, Duration, Feeling, Flag, Holding, Place

__all__ = [
    "Activity",
    "Advice",
    "Answers",
    "Change",
    "Duration",
    "Feeling",
    "Flag",
    "Holding",
    "Kind",
    "Place",
    "Seen",
    "advise",
    "measured_in",
]
