"""The providers' own doors, as far as we use them: they check the signature and do what they are told.

Behind the phone simulator they are carriers like any other (roads.py); under the tests they also do wrong what they are
told to do wrong. Each keeps what it took. The providers' SDKs, which none of us wrote, prove that a right request is let
in (tests/messaging/gateways/test_peers.py).
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import time
from collections.abc import Callable
from typing import Any, cast
from urllib.parse import parse_qsl

from aiohttp import web

from messaging.gateways.aliyun import signature as acs3
from messaging.gateways.http import signature as own
from messaging.gateways.tencent import signature as tc3

# What a provider can be told to do with the next texts.
MOODS = (
    "accept",
    "later",
    "throttle",
    "bad number",
    "wrong key",
    "account",
    "silent",
    "cut",
    "garbage",
    "broken",
)
Heard = Callable[[str, str, dict[str, Any]], None]


class Provider:
    """`taken` are the texts it has said yes to, as (number, what is sent). `on_taken` hears of each: the number, the
    provider's id for it, and all that was asked.
    """

    key_id, secret = "KEY-ID", "s3cr3t of the provider"
    stem = "ID"  # how its ids begin

    def __init__(self, on_taken: Heard = lambda number, provider_id, asked: None) -> None:
        self.on_taken = on_taken
        self.mood = "accept"
        self.moods: dict[str, str] = {}  # by number
        self.asked: list[dict[str, Any]] = []
        self.taken: list[tuple[str, str]] = []
        self.sent: list[dict[str, Any]] = []  # what its list of texts shows
        self.unsigned = 0

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Any request, as the provider answers it in its mood."""
        body = await request.read()
        if not self.is_signed(request, body):
            self.unsigned += 1
            return self.say("wrong key", [], "")
        numbers = self.numbers(request, body)
        if not numbers:
            return self.greet(request, body)
        self.asked.append(self.read(request, body))
        mood = self.moods.get(numbers[0], self.mood)
        if mood == "silent":
            await asyncio.sleep(30)  # until the caller hangs up
        if mood == "cut":
            cast(asyncio.Transport, request.transport).abort()
        if mood == "garbage":
            return web.Response(text="<html>It works!</html>", content_type="text/html")
        if mood == "broken":
            return web.Response(status=502, text="Bad Gateway")
        return self.say(mood, numbers, self.content(request, body))

    # What each provider does in its own way.

    def is_signed(self, request: web.Request, body: bytes) -> bool:
        raise NotImplementedError

    def numbers(self, request: web.Request, body: bytes) -> list[str]:
        """The numbers a request is for; none of a greeting."""
        raise NotImplementedError

    def read(self, request: web.Request, body: bytes) -> dict[str, Any]:
        raise NotImplementedError

    def content(self, request: web.Request, body: bytes) -> str:
        raise NotImplementedError

    def greet(self, request: web.Request, body: bytes) -> web.Response:
        """Answer what sends nothing: a greeting, or a question about what was sent."""
        return web.json_response({})

    def say(self, mood: str, numbers: list[str], content: str) -> web.Response:
        raise NotImplementedError

    def new_id(self) -> str:
        return f"{self.stem}{len(self.taken)}"

    def take(self, numbers: list[str], content: str) -> str:
        """Note a yes; the provider's id for it."""
        self.taken += [(number, content) for number in numbers]
        provider_id = self.new_id()
        for number in numbers:
            self.on_taken(number, provider_id, self.asked[-1])
        return provider_id


class Aliyun(Provider):
    codes = {
        "later": (200, "isp.SYSTEM_ERROR"),
        "throttle": (400, "Throttling.User"),
        "bad number": (200, "isv.MOBILE_NUMBER_ILLEGAL"),
        "wrong key": (400, "SignatureDoesNotMatch"),
        "account": (200, "isv.AMOUNT_NOT_ENOUGH"),
    }

    def is_signed(self, request: web.Request, body: bytes) -> bool:
        headers = dict(request.headers)
        return acs3.verify(
            method=request.method, query=dict(request.query), headers=headers, secret=self.secret, body=body
        )

    def numbers(self, request: web.Request, body: bytes) -> list[str]:
        action = request.headers["x-acs-action"]
        if action == "SendSms":
            return request.query["PhoneNumbers"].split(",")
        if action == "SendBatchSms":
            return json.loads(dict(parse_qsl(body.decode()))["PhoneNumberJson"])
        return []

    def read(self, request: web.Request, body: bytes) -> dict[str, Any]:
        return dict(request.query) | dict(parse_qsl(body.decode()))

    def content(self, request: web.Request, body: bytes) -> str:
        asked = self.read(request, body)
        return f"{asked['TemplateCode']} {asked.get('TemplateParam') or asked.get('TemplateParamJson', '')}"

    def greet(self, request: web.Request, body: bytes) -> web.Response:
        if request.headers["x-acs-action"] != "QuerySendDetails":
            return web.json_response({})
        asked = request.query
        found = [
            entry
            for entry in self.sent
            if entry["PhoneNum"] == asked["PhoneNumber"]
            and entry["SendDate"][:10].replace("-", "") == asked["SendDate"]
        ]
        page = found[: int(asked["PageSize"])]
        said = {"Code": "OK", "Message": "OK", "RequestId": "R", "TotalCount": str(len(found))}
        return web.json_response(said | {"SmsSendDetailDTOs": {"SmsSendDetailDTO": page}})

    def say(self, mood: str, numbers: list[str], content: str) -> web.Response:
        bad = [number for number in numbers if self.moods.get(number) == "bad number"]
        if mood == "accept" and not bad:
            biz_id = self.take(numbers, content)
            return web.json_response({"Code": "OK", "Message": "OK", "BizId": biz_id, "RequestId": "R"})
        status, code = self.codes["bad number" if bad else mood]
        return web.json_response({"Code": code, "Message": code, "RequestId": "R"}, status=status)


def bare_json(said: dict[str, Any]) -> web.Response:
    """Without a charset, as Tencent answers: its SDK overlooks an error in anything else."""
    return web.Response(body=json.dumps(said).encode(), headers={"Content-Type": "application/json"})


class Tencent(Provider):
    codes = {
        "later": "LimitExceeded.PhoneNumberThirtySecondLimit",
        "throttle": "RequestLimitExceeded",
        "bad number": "InvalidParameterValue.IncorrectPhoneNumber",
        "wrong key": "AuthFailure.SignatureFailure",
        "account": "UnauthorizedOperation.ServiceSuspendDueToArrears",
    }

    def is_signed(self, request: web.Request, body: bytes) -> bool:
        fresh = abs(time.time() - int(request.headers.get("X-TC-Timestamp", "0"))) < 300
        return fresh and tc3.verify(secret=self.secret, headers=dict(request.headers), body=body)

    def numbers(self, request: web.Request, body: bytes) -> list[str]:
        return json.loads(body)["PhoneNumberSet"] if request.headers["X-TC-Action"] == "SendSms" else []

    def read(self, request: web.Request, body: bytes) -> dict[str, Any]:
        return json.loads(body)

    def content(self, request: web.Request, body: bytes) -> str:
        asked = json.loads(body)
        return f"{asked['TemplateId']} {asked['TemplateParamSet']}"

    def greet(self, request: web.Request, body: bytes) -> web.Response:
        if request.headers["X-TC-Action"] != "PullSmsSendStatusByPhoneNumber":
            return bare_json({"Response": {"DescribeSignListStatusSet": [], "RequestId": "R"}})
        asked = json.loads(body)
        found = [
            entry
            for entry in self.sent
            if entry["PhoneNumber"] == asked["PhoneNumber"]
            and asked["BeginTime"] <= entry["UserReceiveTime"] <= asked["EndTime"]
        ]
        return bare_json({"Response": {"PullSmsSendStatusSet": found[: asked["Limit"]], "RequestId": "R"}})

    def say(self, mood: str, numbers: list[str], content: str) -> web.Response:
        if mood in ("throttle", "wrong key", "account"):
            error = {"Code": self.codes[mood], "Message": mood}
            return bare_json({"Response": {"Error": error, "RequestId": "R"}})
        statuses = [self._one(number, self.moods.get(number, mood), content) for number in numbers]
        return bare_json({"Response": {"SendStatusSet": statuses, "RequestId": "R"}})

    def _one(self, number: str, mood: str, content: str) -> dict[str, Any]:
        if mood == "accept":
            serial, code = self.take([number], content), "Ok"
        else:
            serial, code = "", self.codes[mood]
        return {
            "SerialNo": serial,
            "PhoneNumber": number,
            "Fee": 1,
            "SessionContext": "",
            "Code": code,
            "Message": code,
            "IsoCode": "CN",
        }


class Twilio(Provider):
    key_id = "AC" + "0" * 32
    codes = {
        "later": (408, 0),
        "throttle": (429, 20429),
        "bad number": (400, 21211),
        "wrong key": (401, 20003),
        "account": (403, 20005),
    }

    def new_id(self) -> str:
        return "SM" + hashlib.md5(super().new_id().encode(), usedforsecurity=False).hexdigest()

    def is_signed(self, request: web.Request, body: bytes) -> bool:
        expected = base64.b64encode(f"{self.key_id}:{self.secret}".encode()).decode()
        return request.headers.get("Authorization", "") == f"Basic {expected}"

    def numbers(self, request: web.Request, body: bytes) -> list[str]:
        is_text = request.method == "POST" and request.path.endswith("/Messages.json")
        return [self.read(request, body)["To"]] if is_text else []

    def read(self, request: web.Request, body: bytes) -> dict[str, Any]:
        return dict(parse_qsl(body.decode(), keep_blank_values=True))

    def content(self, request: web.Request, body: bytes) -> str:
        return self.read(request, body)["Body"]

    def greet(self, request: web.Request, body: bytes) -> web.Response:
        if not request.path.endswith("/Messages.json"):
            return web.json_response({"sid": self.key_id, "status": "active"})
        found = [entry for entry in self.sent if entry["to"] == request.query["To"]]
        size = int(request.query["PageSize"])
        path = f"{request.path}?Page=1" if len(found) > size else None
        return web.json_response({"messages": found[:size], "next_page_uri": path, "page_size": size})

    def say(self, mood: str, numbers: list[str], content: str) -> web.Response:
        if mood == "accept":
            sid = self.take(numbers, content)
            said = {"sid": sid, "status": "queued", "num_segments": "1", "error_code": None, "body": content}
            return web.json_response(said, status=201)
        status, code = self.codes[mood]
        if not code:
            return web.Response(status=status)
        return web.json_response({"code": code, "message": mood, "status": status}, status=status)


class Http(Provider):
    statuses = {
        "accept": (202, "accepted"),
        "later": (503, "try_later"),
        "throttle": (429, "slow_down"),
        "bad number": (422, "bad_number"),
        "wrong key": (401, "bad_key"),
        "account": (402, "account_stopped"),
    }

    def is_signed(self, request: web.Request, body: bytes) -> bool:
        return request.headers.get(own.KEY_HEADER) == self.key_id and own.verify(
            secret=self.secret,
            timestamp=request.headers.get(own.TIMESTAMP_HEADER, ""),
            body=body,
            signature=request.headers.get(own.SIGNATURE_HEADER, ""),
            now=time.time(),
        )

    def numbers(self, request: web.Request, body: bytes) -> list[str]:
        return [json.loads(body)["to"]] if body else []

    def read(self, request: web.Request, body: bytes) -> dict[str, Any]:
        return json.loads(body)

    def content(self, request: web.Request, body: bytes) -> str:
        return json.loads(body)["text"]

    def say(self, mood: str, numbers: list[str], content: str) -> web.Response:
        status, word = self.statuses[mood]
        said = {"status": word}
        if mood == "accept":
            said["id"] = self.take(numbers, content)
        return web.json_response(said, status=status)
