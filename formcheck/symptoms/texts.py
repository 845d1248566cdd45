"""The words of the advice, from the articles behind formcheck; where a study stands behind one, it says how strongly.

None of them names a diagnosis; a test looks for the names.
"""

from __future__ import annotations

from dataclasses import dataclass

from formcheck.symptoms.measured import Seen


@dataclass(frozen=True, slots=True)
class Words:
    """What to do in a few words, and in full."""

    title: str
    text: str


DISCLAIMER = (
    "This is no diagnosis. formcheck puts your answers beside what the camera saw; it cannot examine you. "
    "If you are worried, ask a doctor or a physiotherapist."
)

AT_ONCE = Words(
    "See a professional today",
    "What you ticked should be looked at today. Call a doctor or an emergency service now, and say what you ticked. "
    "Do not wait to see whether it goes away.",
)
SOON = Words(
    "See a professional before you train again",
    "What you ticked should be looked at soon. Call a doctor within the next day, and say what you ticked. If it "
    "grows, do not wait: call at once.",
)
STOP = Words("Stop for now", "No training, no stretching and no massage of this leg or of the back until then.")
SEE = Words(
    "See a professional",
    "Weakness, numbness, or a feeling that stays is a matter for a physiotherapist or a doctor. Show them this page "
    "and your session, if that helps.",
)
UNTIL_THEN = Words(
    "Until then, keep strain away",
    "Leave out what brings it on. What you can do without any of it is fine; do not test how far you can go.",
)
IF_IT_STAYS = Words(
    "If it stays or comes back",
    "See a physiotherapist or a doctor when it comes back the next times, stays after you stop, or becomes stronger, "
    "numb or weak.",
)

NO_PAIN = Words(
    "Stay out of the pain",
    "Stop where it begins to hurt, and use a smaller range and less weight below that. Nothing here is worth pushing "
    "through.",
)
NO_STATIC_HOLD = Words(
    "Do not hold at the end",
    "A feeling like this can grow when a nerve is drawn long, so do not hold the stretch at its end. Go only as far as "
    "nothing tingles or burns, and keep moving.",
)
EASE_OFF = Words(
    "Ease off",
    "A muscle's pull becomes less while you hold. When it grows instead, come back until it is mild. How strong a "
    "stretch is does not decide what it brings.",
)
LIGHTER = Words(
    "Take less weight",
    "When the load is too heavy or the hamstrings are tired, calf and back take over. Lighten it until you can control "
    "both ways.",
)

CAUSES = {
    "locked-knees": Words(
        "Soften your knees",
        "Keep a bend of a few degrees. With a locked knee the calf and the nerve reach their end before the "
        "hamstrings do.",
    ),
    "excessive-dorsiflexion": Words(
        "Let the ankle rest",
        "Keep the ankle neutral, or the toes a little pointed. Toes pulled to the shin draw calf and nerve long, not "
        "the hamstrings (some evidence).",
    ),
    "rounded-lower-back": Words(
        "Bend from the hips",
        "Tip the pelvis and keep the back long. A bend that the back makes is one that the hamstrings do not.",
    ),
    "neck-flexion": Words(
        "Keep your head in line",
        "Look ahead instead of at your knees. A dropped head draws the same nerve from above (some evidence).",
    ),
    "missing-plantarflexion": Words(
        "Point your toes in curls",
        "The calf bends the knee too, most with the toes pulled up. Pointing them takes some of its share away "
        "(coaching; studies disagree).",
    ),
    "momentum": Words(
        "Lift, do not swing",
        "Bend the knee for a second or more, and lower it slower still. A swing lets calf and back help.",
    ),
}
MEASURED = {
    Seen.FOUND: "The camera saw this in your session.",
    Seen.NOT_FOUND: "The camera did not see this in your session, so it may not be the cause.",
    Seen.NOT_JUDGED: "The camera could not tell in your session.",
}

CALF_STRETCH = Words(
    "Stretch the calf by itself",
    "Against a wall with the heel down: once with a straight knee, once with a bent one, 10 to 30 seconds each, "
    "gently.",
)
GLIDES = Words(
    "Glide instead of holding",
    "Try gentle nerve glides: knee straight as the head comes up, knee bent as it goes down, slowly and without a "
    "pause at the end. Stop when it tingles or burns.",
)
WHERE_IT_BELONGS = Words(
    "This is where it belongs",
    "A mild pull in the back of the thigh that eases, or stays mild, is how a hamstring stretch usually feels. Hold it "
    "for 10 to 30 seconds.",
)
NOTHING_ANSWERED = Words("Nothing chosen yet", "Choose where you feel it, and what it feels like.")
NOTHING_FITS = Words(
    "No special advice for this",
    "Nothing that you chose points to a change of form. Go gently, and see a physiotherapist or a doctor if it worries "
    "you or stays.",
)
