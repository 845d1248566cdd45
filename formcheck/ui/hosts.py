"""Telling in words that the app is not served by this name.

Streamlit holds `server.allowedHosts` against the page's connection only: the page itself would come, and stay an empty
grey frame for ever. So that whoever opened it learns why, every request by another name is answered with one sentence.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from streamlit.web.server.starlette import starlette_app
from streamlit.web.server.starlette.starlette_websocket import is_host_allowed

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

FORBIDDEN: Final = 403
SENTENCE: Final = """\
formcheck is not served by this name.

On the computer where it runs, open {address} in your browser.
To reach it by another name as well, add that name when you start it:

    STREAMLIT_SERVER_ALLOWED_HOSTS="localhost 127.0.0.1 another.name" formcheck ui
"""


class KnownNames:
    """ASGI middleware that refuses what was asked for by a name that is not allowed.

    Parameters
    ----------
    app : ASGI application
    address : str
        Where the app can be opened: ``http://localhost:8501``.
    """

    def __init__(self, app: ASGIApp, address: str) -> None:
        self._app = app
        self._body = SENTENCE.format(address=address).encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or hand it on; what is no request (a WebSocket) Streamlit checks itself."""
        host = next((value.decode("latin-1") for name, value in scope.get("headers", ()) if name == b"host"), None)
        if scope["type"] != "http" or is_host_allowed(host):
            await self._app(scope, receive, send)
            return
        headers = [
            (b"content-type", b"text/plain; charset=utf-8"),
            (b"content-length", b"%d" % len(self._body)),
            (b"x-content-type-options", b"nosniff"),
        ]
        await send({"type": "http.response.start", "status": FORBIDDEN, "headers": headers})
        await send({"type": "http.response.body", "body": self._body})


def answer_known_names_only(address: str) -> None:
    """Put `KnownNames` before everything that the server of this process will serve.

    Streamlit takes middleware from applications that are started another way, without the settings file beside
    `app.py`; so its own list of middleware is extended.
    """
    from starlette.middleware import Middleware

    usual = starlette_app.create_streamlit_middleware
    starlette_app.create_streamlit_middleware = lambda: [Middleware(KnownNames, address=address), *usual()]
