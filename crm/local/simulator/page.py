"""The simulator's page and its JSON endpoints, on 127.0.0.1 only."""

import asyncio
import html
import json
import re
from dataclasses import asdict
from typing import Any

from aiohttp import web

from crm.local.places import PROJECT
from crm.local.simulator.carrier import Carrier, Mood
from crm.local.simulator.catalogue import CATALOGUES, LANGUAGES, choose_language
from crm.local.simulator.handsets import Handset, digits_of
from crm.local.simulator.roads import Roads

TEMPLATE = PROJECT / "templates" / "simulator" / "index.html"
STATIC = PROJECT / "static" / "simulator"
CARRIER: web.AppKey[Carrier] = web.AppKey("carrier", Carrier)
ROADS: web.AppKey[Roads] = web.AppKey("roads", Roads)
PROVIDERS = "/providers/"  # not for browsers: each request is signed
CALLBACK = re.compile(r"^(https?://[^\s]{1,280})?$")
LIVE_EVERY_SECONDS = 0.25
QUIET_EVERY_SECONDS = 1.0
SHOWN_AT_ONCE = 12
TEXT_MAX = 1_000
DELAY_MAX_MS = 60_000
PHONE_DIGITS = range(3, 16)
HOSTS = re.compile(r"^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$")
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}
routes = web.RouteTableDef()


def application(carrier: Carrier, roads: Roads) -> web.Application:
    """The web application of one carrier, with the doors of the providers."""
    app = web.Application(middlewares=[_only_local_pages], client_max_size=64_000)
    app[CARRIER], app[ROADS] = carrier, roads
    app.add_routes(routes)
    for road in roads.providers:
        app.router.add_route("*", f"{road.path}/{{rest:.*}}", road.serve)
    app.router.add_static("/static/", STATIC)
    return app


class Refused(web.HTTPBadRequest):
    """A bad value, answered as JSON that names the field."""

    def __init__(self, field: str, error: str) -> None:
        body = json.dumps({"field": field, "error": error})
        super().__init__(text=body, content_type="application/json")


@web.middleware
async def _only_local_pages(request: web.Request, handler: Any) -> web.StreamResponse:
    """Other web sites open in the same browser must not press our buttons: local host names and JSON bodies
    only.
    """
    if not HOSTS.match(request.host):
        raise web.HTTPMisdirectedRequest
    if request.path.startswith(PROVIDERS):
        answer: web.StreamResponse = await handler(request)
        return answer
    if request.method == "POST" and request.content_type != "application/json":
        raise web.HTTPUnsupportedMediaType
    answer = await handler(request)
    if not answer.prepared:
        answer.headers.update(HEADERS)
    return answer


@routes.get("/")
async def index(request: web.Request) -> web.Response:
    """The tray of handsets."""
    asked = request.query.get("lang") or request.cookies.get("simulator_lang", "")
    language = choose_language(asked, request.headers.get("Accept-Language", ""))
    texts = CATALOGUES[language]
    values = texts | {"lang": "zh-Hans" if language == "zh-hans" else language}
    page = re.sub(
        r"\{\{ (\w+) \}\}", lambda found: html.escape(values[found[1]]), TEMPLATE.read_text(encoding="utf-8")
    )
    page = page.replace("<!-- languages -->", _language_links(language))
    page = page.replace("<!-- texts -->", json.dumps(texts, ensure_ascii=False).replace("<", "\\u003c"))
    answer = web.Response(text=page, content_type="text/html")
    answer.set_cookie("simulator_lang", language, samesite="Lax", httponly=True)
    return answer


def _language_links(chosen: str) -> str:
    return " ".join(
        f'<a href="/?lang={code}" hreflang="{code}"{" aria-current=true" * (code == chosen)}>{name}</a>'
        for code, name in LANGUAGES.items()
    )


@routes.get("/api/live")
async def live(request: web.Request) -> web.StreamResponse:
    """Server-sent events: first the whole tray, then what changed, at most four times a second."""
    carrier = request.app[CARRIER]
    stream = web.StreamResponse(headers=HEADERS | {"Content-Type": "text/event-stream"})
    await stream.prepare(request)
    seen: dict[str, tuple[float, str]] = {}
    quiet = 0.0
    try:
        while True:
            changed = [
                handset for handset in carrier.tray.newest() if seen.get(handset.phone) != _version(handset)
            ]
            if changed or quiet >= QUIET_EVERY_SECONDS:
                await _send(stream, carrier, changed if not seen else changed[:SHOWN_AT_ONCE])
                quiet = 0.0
            seen = {handset.phone: _version(handset) for handset in carrier.tray.newest()}
            await asyncio.sleep(LIVE_EVERY_SECONDS)
            quiet += LIVE_EVERY_SECONDS
    except (ConnectionResetError, asyncio.CancelledError):
        return stream


def _version(handset: Handset) -> tuple[float, str]:
    return handset.changed_at, handset.texts[-1].state if handset.texts else ""


async def _send(stream: web.StreamResponse, carrier: Carrier, handsets: list[Handset]) -> None:
    data = {
        "stats": carrier.stats(),
        "phones": list(carrier.tray.handsets),
        "handsets": [handset.as_json() for handset in handsets],
    }
    await stream.write(f"data: {json.dumps(data, ensure_ascii=False)}\n\n".encode())


@routes.get("/api/handsets")
async def handsets(request: web.Request) -> web.Response:
    """The tray, newest first."""
    return web.json_response([handset.as_json() for handset in request.app[CARRIER].tray.newest()])


@routes.get("/api/handsets/{phone}/messages")
async def messages(request: web.Request) -> web.Response:
    """The thread of one phone, oldest first; empty for a phone that got nothing."""
    found = request.app[CARRIER].tray.handsets.get(_phone(request))
    return web.json_response([asdict(text) for text in found.texts] if found else [])


@routes.post("/api/handsets/{phone}/reply")
async def reply(request: web.Request) -> web.Response:
    """`{"text", "to"?}`: send a text from this phone. `acknowledged`: the other side took it within three
    seconds.
    """
    values = await _body(request)
    text, to = values.get("text"), values.get("to", "")
    if not isinstance(text, str) or not text.strip() or len(text) > TEXT_MAX:
        raise Refused("text", f"1 to {TEXT_MAX} characters")
    if not isinstance(to, str) or len(to) > 20:
        raise Refused("to", "a number of at most 20 characters")
    said, is_acknowledged = await request.app[CARRIER].reply(_phone(request), text, to)
    return web.json_response(asdict(said) | {"acknowledged": is_acknowledged}, status=201)


@routes.post("/api/handsets/{phone}/power")
async def power(request: web.Request) -> web.Response:
    """`{"on": bool, "fate"?: "wait" | "undelivered" | "expired"}`: the fate of texts while it is off."""
    values = await _body(request)
    if not isinstance(values.get("on"), bool):
        raise Refused("on", "true or false")
    fate = values.get("fate", "wait")
    if fate not in {"wait", "undelivered", "expired"}:
        raise Refused("fate", "wait, undelivered or expired")
    return web.json_response(request.app[CARRIER].switch(_phone(request), values["on"], fate).as_json())


@routes.post("/api/carrier")
async def carrier_mood(request: web.Request) -> web.Response:
    """Change the carrier's behaviour; fields not named stay as they are."""
    carrier, values = request.app[CARRIER], await _body(request)
    for field, value in values.items():
        if field not in vars(Mood()):
            raise Refused(field, "unknown; known are " + ", ".join(vars(Mood())))
        if field.endswith("_ms") and not (type(value) is int and 0 <= value <= DELAY_MAX_MS):
            raise Refused(field, f"a whole number from 0 to {DELAY_MAX_MS}")
        if not field.endswith("_ms") and not isinstance(value, bool):
            raise Refused(field, "true or false")
    carrier.mood = Mood(**(vars(carrier.mood) | values))
    return web.json_response(vars(carrier.mood))


@routes.get("/api/ways")
async def ways(request: web.Request) -> web.Response:
    """What a gateway has to be told to come here by CMPP or as by a provider."""
    return web.json_response(request.app[ROADS].cards())


@routes.post("/api/ways")
async def way_reports(request: web.Request) -> web.Response:
    """`{"way", "callback"}`: where a provider's reports go, the secret path of a gateway of the house."""
    values = await _body(request)
    callback = values.get("callback")
    if not isinstance(callback, str) or not CALLBACK.match(callback.strip()):
        raise Refused("callback", "an address")
    if not request.app[ROADS].tell(str(values.get("way")), callback):
        raise Refused("way", "unknown")
    return web.json_response(request.app[ROADS].cards())


@routes.post("/api/reset")
async def reset(request: web.Request) -> web.Response:
    """Forget handsets, counters and behaviour; connections and the journal stay."""
    request.app[CARRIER].reset()
    return web.json_response(request.app[CARRIER].stats())


@routes.get("/api/stats")
async def stats(request: web.Request) -> web.Response:
    """The counters."""
    return web.json_response(request.app[CARRIER].stats())


def _phone(request: web.Request) -> str:
    phone = digits_of(request.match_info["phone"])
    if len(phone) not in PHONE_DIGITS:
        raise Refused("phone", "3 to 15 digits, with country code")
    return phone


async def _body(request: web.Request) -> dict[str, Any]:
    try:
        values = await request.json()
    except ValueError:
        raise Refused("", "the body is not JSON") from None
    if not isinstance(values, dict):
        raise Refused("", "the body is not a JSON object")
    return values
