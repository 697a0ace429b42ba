"""The live page's server: the page, its events, its orders, and at the end the report.

    GET /          the page              GET /events    server-sent events       GET /report   report.html, once it is
    POST /order    {"what": ..., "value": ..., "migration": {...}} with the token of this run in X-Token; the migration
                   may be left out where one is under way
    GET /metrics   where the run stands, as OpenMetrics: made when it is asked for

All of it is for who has the token (``ticket``). Orders want it in a header, which a page of another site cannot send; a
name that is not this machine's is refused (``guard``), and so is an order that says it comes from elsewhere.
"""

from collections.abc import Callable
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from testbed.core.errors import ScenarioError
from testbed.core.outlook import Outlooks
from testbed.core.text.json_lines import json_object
from testbed.exports.openmetrics import content_type
from testbed.exports.standing import FiguresSoFar
from testbed.rig.orders import Order
from testbed.web.guard import Guard
from testbed.web.live.hub import Hub
from testbed.web.live.ticket import HEADER, Ticket, is_right

_MOST_BODY = 1024


class LiveApp:
    """``give`` is called with each order that may be given; ``page`` is the page. ``cookie`` is where a browser keeps
    the token: cookies are a host's and not a port's, so each port has a name of its own. ``standing``: what the run has
    said so far, as figures.
    """

    def __init__(
        self,
        hub: Hub,
        give: Callable[[Order], None],
        page: str,
        token: str,
        cookie: str,
        standing: FiguresSoFar | None = None,
    ) -> None:
        self._hub, self._give, self._page, self._token = hub, give, page, token
        self._standing = standing or FiguresSoFar(Outlooks())
        self.report = ""
        """As HTML, once the run has made it: this process could not read the run's files."""
        self.fetched = 0
        """How often it was."""
        self.app = Starlette(
            routes=[
                Route("/", self._home),
                Route("/events", self._events),
                Route("/order", self._order, methods=["POST"]),
                Route("/report", self._finished),
                Route("/metrics", self._metrics),
            ],
            middleware=[Middleware(Guard), Middleware(Ticket, token=token, cookie=cookie)],
        )

    async def _home(self, _request: Request) -> Response:
        return HTMLResponse(self._page, headers={"Cache-Control": "no-store"})

    async def _events(self, request: Request) -> Response:
        last = request.headers.get("last-event-id") or request.query_params.get("after") or ""
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(self._hub.stream(last), media_type="text/event-stream", headers=headers)

    async def _order(self, request: Request) -> Response:
        if not self._may(request):
            return JSONResponse({"fault": "not from this run's page"}, status_code=403)
        if int(request.headers.get("content-length") or _MOST_BODY + 1) > _MOST_BODY:
            return JSONResponse({"fault": "an order is a few words"}, status_code=413)
        try:
            order = Order.read(json_object(await request.body()))
        except (ScenarioError, ValueError) as fault:
            return JSONResponse({"fault": str(fault)}, status_code=400)
        self._give(order)
        return JSONResponse({"given": str(order)})

    async def _finished(self, _request: Request) -> Response:
        if not self.report:
            return PlainTextResponse("the run goes on: its report is written at its end\n", status_code=404)
        self.fetched += 1
        return HTMLResponse(self.report)

    async def _metrics(self, request: Request) -> Response:
        kind = content_type(",".join(request.headers.getlist("accept")))
        headers = {"Content-Type": kind, "Vary": "Accept", "Cache-Control": "no-store"}
        return Response(self._standing.text(), headers=headers)

    def _may(self, request: Request) -> bool:
        origin, host = request.headers.get("origin"), request.headers.get("host")
        if origin is not None and urlsplit(origin).netloc != host:
            return False
        return is_right(request.headers.get(HEADER), self._token)
