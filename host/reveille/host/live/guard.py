"""Who may see and steer a session: browsers of this machine, or those that know a token."""

import secrets
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs, urlsplit

from starlette.responses import HTMLResponse, RedirectResponse, Response

COOKIE = "reveille_token"
FIELD = "token"

LOOPBACK = ("127.0.0.1", "localhost", "::1")
"""Names of this machine for itself."""

_ASK = """<!doctype html><html lang="en"><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>Reveille</title>
<body style="font-family: sans-serif; margin: 2rem"><h1>Reveille</h1>
<p role="alert">{said}</p><form action="/" method="get">
<label>Token, as `reveille live` printed it: <input name="token" type="password" autofocus></label>
<button>Open</button></form></body></html>"""


def new_token() -> str:
    """Draw a token of 128 bits."""
    return secrets.token_urlsafe(16)


class Guard:
    """Stands before an ASGI application and lets through what may come in.

    Without a token only this machine is served: the page's address must be one of `LOOPBACK`, so
    that no name of another site can be made to lead here. With one, each browser has to show it
    once; it is then kept in a cookie. No other site's page may use a browser's right to come in.

    Args:
        application: What is guarded.
        token: What browsers have to show; None where only this machine is served.
    """

    def __init__(self, application: Any, token: str | None) -> None:
        self._application, self._token = application, token

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Serve, ask for the token, or refuse."""
        if scope["type"] not in ("http", "websocket"):
            await self._application(scope, receive, send)
            return
        response = self._answer(scope)
        if response is None:
            await self._application(scope, receive, _unframed(send))
        elif scope["type"] == "http":
            await response(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1008})

    def _answer(self, scope: dict[str, Any]) -> Response | None:
        """Return what to say in place of the application, or None where it may speak."""
        headers = {name.decode("latin-1"): v.decode("latin-1") for name, v in scope["headers"]}
        host, origin = headers.get("host", ""), headers.get("origin")
        if origin is not None and urlsplit(origin).netloc != host:
            return Response("This is not for pages of other sites.", 403)
        if self._token is None:
            if urlsplit(f"//{host}").hostname in LOOPBACK:
                return None
            return Response("Only this machine is served; open the address as printed.", 403)
        if self._right(_cookie(headers.get("cookie", ""))):
            return None
        shown = parse_qs(scope["query_string"].decode("latin-1")).get(FIELD)
        if shown is None:
            return HTMLResponse(_ASK.format(said="This page asks for a token."), 401)
        if not self._right(shown[0]):
            return HTMLResponse(_ASK.format(said="That is not the token."), 401)
        # The token leaves the address, which browsers keep and people copy.
        response = RedirectResponse(scope["path"], 303)
        response.set_cookie(COOKIE, shown[0], httponly=True, samesite="strict")
        return response

    def _right(self, shown: str) -> bool:
        assert self._token is not None
        return secrets.compare_digest(shown.encode(), self._token.encode())


def _unframed(send: Any) -> Any:
    """Forbid other sites to show the page inside theirs, where clicks could be led astray."""

    async def framed(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            never = (b"content-security-policy", b"frame-ancestors 'none'")
            message = {**message, "headers": [*message.get("headers", ()), never]}
        await send(message)

    return framed


def _cookie(header: str) -> str:
    try:
        morsel = SimpleCookie(header).get(COOKIE)
    except CookieError:
        return ""
    return morsel.value if morsel else ""
