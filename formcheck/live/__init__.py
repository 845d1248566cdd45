"""A live set, from the first frame of a camera to the report: used by the web page and by the local window.

`places` holds how many may run at once, `slot` the frame that is to be analysed next, `course` what happens from frame
to frame (set-up, countdown, set), `lookout` and `others` notice other people, `session` has the thread that does it,
`picture` what is drawn.
"""

from formcheck.live.course import Course, Plan, UnrecognisedError
from formcheck.live.lookout import open_search
from formcheck.live.picture import draw_live
from formcheck.live.places import PLACES, LiveError, Places
from formcheck.live.session import LiveSession, Snapshot, Stage

__all__ = [
    "PLACES",
    "Course",
    "LiveError",
    "LiveSession",
    "Places",
    "Plan",
    "Snapshot",
    "Stage",
    "UnrecognisedError",
    "draw_live",
    "open_search",
]
