"""How the HTTP door says that something did not work: problem+json (RFC 9457) for machines, a page for people.

Chinese unless the caller asks for English first. No answer repeats a secret, a number, or a fault's inside.
"""

from __future__ import annotations

import http
from collections.abc import Callable, Mapping
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import ValidationError
from starlette.exceptions import HTTPException

from config.faults import Language, Word, say
from config.sheet import misfit
from streams.doors.http.prompt import SilentLedgerError
from streams.doors.refusal import RefusedError
from streams.ledger.contract import LedgerAwayError, OutdatedError

Render = Callable[[Request, int, str, str], Response]
RETRY_AFTER_S = 2
TITLES: dict[int, Word] = {
    400: Word("内容有误", "The content is wrong"),
    401: Word("未登录或令牌无效", "No valid token"),
    403: Word("没有权限", "Not allowed"),
    404: Word("没有找到", "Not found"),
    405: Word("不支持的操作", "Not possible here"),
    413: Word("内容过大", "Too large"),
    415: Word("不接收这种类型", "Not a kind that is read here"),
    429: Word("尝试过多", "Too many tries"),
    500: Word("系统内部出错", "A fault of ours"),
    503: Word("台账暂时不可用", "The ledger is away"),
}


_PROBLEM = {
    "application/problem+json": {
        "schema": {
            "type": "object",
            "required": ["type", "title", "status", "detail", "instance"],
            "properties": {
                "type": {"type": "string"},
                "title": {"type": "string"},
                "status": {"type": "integer"},
                "detail": {"type": "string", "description": "What is wrong and what to do."},
                "element": {"type": "string", "description": "The element or field at fault."},
                "instance": {"type": "string", "description": "The path that was asked for."},
            },
        }
    }
}
PROBLEMS: dict[int | str, dict[str, Any]] = {
    "4XX": {"description": "It was not taken: what is wrong, where, and what to do.", "content": _PROBLEM},
    503: {
        "description": "The ledger is away: nothing was kept unless the detail says so. Ask again.",
        "content": _PROBLEM,
    },
}
"""What every address may answer beside its own answers, for the description of the API."""
AGAIN: dict[int | str, dict[str, Any]] = {200: {"description": "It was known already; nothing was changed."}}


class ProblemError(HTTPException):
    """A request that ends in a problem: its status, what is wrong and what to do, and the element at fault.

    It is an HTTPException because only those pass through whatever reads a body for us.
    """

    def __init__(self, status: int, words: Word, element: str = "", headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status, words.en, dict(headers or {}))
        self.words, self.element = words, element


def not_found(what: Word, content_id: str) -> ProblemError:
    """Return the problem of an id that names nothing."""
    shown = content_id[:80]
    return ProblemError(404, Word(f"没有编号为“{shown}”的{what.zh}。", f'There is no {what.en} "{shown}".'), "id")


def refusal_of(error: ValidationError | RequestValidationError) -> RefusedError:
    """Return the first fault of a body as the refusal that every door gives."""
    detail = error.errors()[0]
    element = ".".join(str(part) for part in detail["loc"] if part not in ("body", "query", "path")) or "body"
    if detail["type"] == "json_invalid":
        element = "body"
    found = misfit({"input": None, **detail})
    zh, en = (say(found.text, language, **found.values) for language in ("zh", "en"))
    return RefusedError(400, element, f"{element}：{zh}", f"{element}: {en}")


def language_of(request: Request, default: Language) -> Language:
    """Return zh or en, whichever Accept-Language names first."""
    for part in request.headers.get("accept-language", "").lower().split(","):
        tag = part.split(";")[0].strip()[:2]
        if tag == "en":
            return "en"
        if tag == "zh":
            return "zh"
    return default


def install(app: FastAPI, default: Language, render: Render) -> None:
    """Make an app answer every fault as a problem; `render` makes the page for people."""

    def answer(request: Request, problem: ProblemError) -> Response:
        status = problem.status_code
        wants_page = "text/html" in request.headers.get("accept", "") and not request.url.path.startswith("/v1/")
        language = default if wants_page else language_of(request, default)
        phrase = http.HTTPStatus(status).phrase
        title = TITLES.get(status, Word(phrase, phrase)).said(language)
        # What was sent may be repeated in a detail, and half a character of it could not be written.
        detail = problem.words.said(language).encode(errors="replace").decode()
        if wants_page:
            page = render(request, status, title, detail)
            page.headers.update(problem.headers or {})
            return page
        body: dict[str, Any] = {"type": "about:blank", "title": title, "status": status, "detail": detail}
        body |= {"element": problem.element.encode(errors="replace").decode()} if problem.element else {}
        body["instance"] = request.url.path
        return JSONResponse(body, status, dict(problem.headers or {}), media_type="application/problem+json")

    async def on_problem(request: Request, error: Any) -> Response:
        return answer(request, error)

    async def on_refused(request: Request, error: Any) -> Response:
        return answer(request, ProblemError(error.status, Word(error.reason, error.reason_en), error.element))

    async def on_invalid(request: Request, error: Any) -> Response:
        return await on_refused(request, refusal_of(error))

    async def on_http(request: Request, error: Any) -> Response:
        title = TITLES.get(error.status_code)
        words = Word(title.zh + "。" if title else str(error.detail), str(error.detail))
        return answer(request, ProblemError(error.status_code, words, headers=error.headers))

    async def on_away(request: Request, error: Any) -> Response:
        words = Word(
            "台账数据库暂时不可用，什么都没有保存，请稍后重新发送。",
            "The ledger cannot be reached and nothing was kept; send it again in a moment.",
        )
        return answer(request, ProblemError(503, words, headers={"Retry-After": str(RETRY_AFTER_S)}))

    async def on_silent(request: Request, error: Any) -> Response:
        words = Word(
            "台账数据库没有及时应答，可能已保存，也可能没有。预警和监测数据请原样重新发送，同一份只收一次；"
            "指令请先在值班页查看是否已生效。",
            "The ledger did not answer in time: it may have been kept, or not. Send a document again as it is, it is "
            "taken once; of an order, look first whether it is there.",
        )
        return answer(request, ProblemError(503, words, headers={"Retry-After": str(RETRY_AFTER_S)}))

    async def on_fault(request: Request, error: Any) -> Response:
        words = Word(
            "系统内部出错，已记录；请稍后重试并告知管理员。", "A fault of ours; it is logged. Try again later."
        )
        return answer(request, ProblemError(500, words))

    app.add_exception_handler(ProblemError, on_problem)
    app.add_exception_handler(RefusedError, on_refused)
    app.add_exception_handler(RequestValidationError, on_invalid)
    app.add_exception_handler(HTTPException, on_http)
    app.add_exception_handler(LedgerAwayError, on_away)
    app.add_exception_handler(SilentLedgerError, on_silent)
    # This process is about to end; the sender's next try meets one that is not outdated.
    app.add_exception_handler(OutdatedError, on_away)
    app.add_exception_handler(Exception, on_fault)
