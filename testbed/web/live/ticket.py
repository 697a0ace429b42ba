"""Who is let in: whoever has the address that the run printed, since the token in it is known to nobody else.

    /?token=TOKEN     the address; a browser that came by it gets a cookie, and needs the address no more
    X-Token: TOKEN    for programs, and for orders beside the cookie, which a page elsewhere could make a browser send
    Authorization: Bearer TOKEN    the same, as Prometheus says it

Any user of the machine can reach the port, also that of 127.0.0.1.
"""

import secrets
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import HTMLResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADER, QUERY = "X-Token", "token"
REFUSAL = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Fast Motion: not without its token</title>
<h1>This page opens with a token</h1>
<p>It is in the address that the run printed where it was started, in the line that begins with <code>live:</code>,
and looks like <code>http://127.0.0.1:8080/?token=...</code>. Open that address. Another run has another token.</p>
</html>
"""


class Ticket:
    """ASGI middleware: 403 without the token; ``cookie`` is the name under which a browser keeps it."""

    def __init__(self, app: ASGIApp, token: str, cookie: str) -> None:
        self._app, self._token, self._cookie = app, token, cookie

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request: passes it on, or refuses it. Whoever came by the address gets the cookie."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        by_address = is_right(_asked(scope), self._token)
        if not (by_address or self._has_header(headers) or self._has_cookie(headers)):
            await HTMLResponse(REFUSAL, 403, headers={"Cache-Control": "no-store"})(scope, receive, send)
            return

        async def sent(message: Message) -> None:
            if by_address and message["type"] == "http.response.start":
                kept = f"{self._cookie}={self._token}; Path=/; HttpOnly; SameSite=Strict"
                MutableHeaders(scope=message).append("Set-Cookie", kept)
            await send(message)

        await self._app(scope, receive, sent)

    def _has_header(self, headers: Headers) -> bool:
        scheme, _, bearer = headers.get("authorization", "").partition(" ")
        given = bearer.strip() if scheme.lower() == "bearer" else None
        return is_right(headers.get(HEADER), self._token) or is_right(given, self._token)

    def _has_cookie(self, headers: Headers) -> bool:
        """Taken apart as browsers put it together: other programs of this machine have their cookies in it, too, and
        Python's own reader finds none where one of those is not as it was once written down.
        """
        kept = (each.strip().partition("=") for each in headers.get("cookie", "").split(";"))
        return any(name == self._cookie and is_right(value, self._token) for name, _, value in kept)


def is_right(given: str | None, token: str) -> bool:
    """Whether that is the token, in a time that does not tell how much of it is."""
    return secrets.compare_digest((given or "").encode(errors="replace"), token.encode())


def _asked(scope: Scope) -> str | None:
    found: dict[str, list[str]] = parse_qs(scope["query_string"].decode("latin-1"))
    return found[QUERY][0] if QUERY in found else None
