"""Between the browser's camera and a live session: frames in, the picture with what is drawn over it out.

Runs in the threads of streamlit-webrtc, so it calls nothing of Streamlit; the page reads the session's snapshot.
"""

from __future__ import annotations

from functools import partial
from typing import Any, cast

from streamlit_webrtc import VideoProcessorBase
from streamlit_webrtc.relay import get_global_relay

from formcheck.live import LiveError, LiveSession, Plan, draw_live, open_search
from formcheck.types import Frame, ImageArray

VideoFrame = Any  # of PyAV, which only the adapters import

WRAP_S = 2**32 / 90_000  # after which the clock of pictures in RTP begins anew (RFC 3550, RFC 7741)


def show_newest_only() -> None:
    """Let no pictures queue up on their way back to the browser; once for all connections of this server.

    streamlit-webrtc hands every picture on through a queue without an end. Where encoding is slower than the camera, as
    on a busy computer, that queue would grow, and the picture fall behind by seconds.
    """
    relay = get_global_relay()
    if not isinstance(relay.subscribe, partial):
        relay.subscribe = partial(relay.subscribe, buffered=False)  # type: ignore[method-assign]


class Feed(VideoProcessorBase):
    """One connection of a camera.

    Parameters
    ----------
    plan : Plan
    mirror : bool
        Show the picture as a mirror does.

    Attributes
    ----------
    session : LiveSession
    refused : str
        Why the session did not start; the picture is then passed on as it is.
    """

    def __init__(self, plan: Plan, *, mirror: bool) -> None:
        self._mirror = mirror
        self.session = LiveSession(plan, open_search=open_search)
        self.refused = ""
        self._last_s = 0.0
        try:
            self.session.start()
        except LiveError as error:
            self.refused = str(error)

    def recv(self, frame: VideoFrame) -> VideoFrame:
        """Hand a frame to the session and draw what it knew before; neither waits for the other."""
        if self.refused:
            return frame
        image = cast(ImageArray, frame.to_ndarray(format="rgb24"))
        time_s = self._last_s = steady(frame.time or 0.0, self._last_s)
        self.session.offer(Frame(0, time_s, image))
        drawn = draw_live(image, time_s, self.session.snapshot(), mirror=self._mirror)
        out = type(frame).from_ndarray(drawn, format="rgb24")
        out.pts, out.time_base = frame.pts, frame.time_base
        return out

    def on_ended(self) -> None:
        """The connection is gone: let the session end. Called in the thread of all connections, so it does not wait."""
        self.session.end()


def steady(time_s: float, last_s: float) -> float:
    """The time of a frame, free of false turns of its clock.

    aiortc takes a picture that comes late, out of order, for the clock's beginning anew, and puts every time from then
    on 13 hours later: the session would seem to have lasted too long.

    Parameters
    ----------
    time_s : float
        Seconds, as aiortc tells them.
    last_s : float
        What this function gave for the frame before.

    Returns
    -------
    float
        Seconds; less than `last_s` for a picture that came late.
    """
    return time_s - WRAP_S * round((time_s - last_s) / WRAP_S)
