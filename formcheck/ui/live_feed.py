"""Between the browser's camera and a live session: frames in, the picture with what is drawn over it out.

Runs in the threads of streamlit-webrtc, so it calls nothing of Streamlit; the page reads the session's snapshot.
"""

from __future__ import annotations

from functools import partial
from typing import Any, cast

from streamlit_webrtc import VideoProcessorBase
from streamlit_webrtc.relay import get_global_relay

from formcheck.live import LiveError, LiveSession, Plan, draw_live
from formcheck.types import Frame, ImageArray

VideoFrame = Any  # of PyAV, which only the adapters import


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
        self.session = LiveSession(plan)
        self.refused = ""
        try:
            self.session.start()
        except LiveError as error:
            self.refused = str(error)

    def recv(self, frame: VideoFrame) -> VideoFrame:
        """Hand a frame to the session and draw what it knew before; neither waits for the other."""
        if self.refused:
            return frame
        image = cast(ImageArray, frame.to_ndarray(format="rgb24"))
        time_s = frame.time or 0.0
        self.session.offer(Frame(0, time_s, image))
        drawn = draw_live(image, time_s, self.session.snapshot(), mirror=self._mirror)
        out = type(frame).from_ndarray(drawn, format="rgb24")
        out.pts, out.time_base = frame.pts, frame.time_base
        return out

    def on_ended(self) -> None:
        """The connection is gone: let the session end. Called in the thread of all connections, so it does not wait."""
        self.session.end()
