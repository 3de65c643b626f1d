"""Commands that speak to a running gateway: `send`, `call`, `cancel`, `correct`, `pause`, `resume`."""

from __future__ import annotations

import mimetypes
import os
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer

from config.settings import Settings
from streams.cli.screen import console, error_console, settings
from streams.cli.tokens import own_file

TIMEOUT_S = 15.0
MEDIA_TYPES = {".xml": "application/cap+xml", ".cap": "application/cap+xml", ".json": "application/json"}

By = Annotated[str, typer.Option("--by", help="谁下的指令 / who gives the order")]
Why = Annotated[str, typer.Option("--text", help="说明 / why")]
Chain = Annotated[str, typer.Argument(help="预警链编号 / id of the chain")]


def add_to(app: typer.Typer) -> None:
    """Add the commands to the root."""
    for command in (send, call, cancel, correct, pause, resume):
        app.command()(command)


def send(
    files: Annotated[list[Path], typer.Argument(exists=True, readable=True, help="预警文件 / warning files")],
) -> None:
    """把预警文件送进网关 / hand warning files in."""
    chosen = settings()
    failed = False
    for file in files:
        media_type = MEDIA_TYPES.get(file.suffix.lower()) or mimetypes.guess_type(file.name)[0] or "application/xml"
        response = post(chosen, "/v1/warnings", content=file.read_bytes(), media_type=media_type)
        failed |= _show(file.name, response)
    if failed:
        raise typer.Exit(1)


def call(  # the options of an order
    villages: Annotated[list[str], typer.Option("--villages", help="村、乡镇名称或代码，可多次 / places, repeatable")],
    hazard: Annotated[str, typer.Option(help="灾种 / hazard")],
    text: Annotated[str, typer.Option(help="说什么 / what to tell them")],
    by: By,
    on_word_of: Annotated[str, typer.Option("--on-word-of", help="依据：谁说的 / on whose word")],
    colour: Annotated[str, typer.Option(help="red orange yellow blue")] = "red",
) -> None:
    """人工叫应：不等预警，先叫人 / order a call without a warning."""
    places = [place for item in villages for place in item.replace("，", ",").replace("、", ",").split(",") if place]
    body = {
        "villages": places,
        "hazard": hazard,
        "colour": colour,
        "text": text,
        "by": by,
        "on_word_of": on_word_of,
    }
    _order("call", body)


def cancel(chain: Chain, by: By, text: Why = "") -> None:
    """解除：停止排队的呼叫，告知已叫到的人 / cancel a chain."""
    _order("cancel", {"chain_id": chain, "by": by, "text": text})


def correct(chain: Chain, by: By, text: Why) -> None:
    """误发更正：只告知拨过的人 / correct a false alarm."""
    _order("correct", {"chain_id": chain, "by": by, "text": text})


def pause(
    chain: Chain, by: By, pause_s: Annotated[int, typer.Option(min=1, max=300, help="秒 / seconds")] = 300
) -> None:
    """暂停（最多五分钟，自动恢复） / pause, five minutes at most."""
    _order("pause", {"chain_id": chain, "by": by, "pause_s": pause_s})


def resume(chain: Chain, by: By) -> None:
    """恢复 / resume."""
    _order("resume", {"chain_id": chain, "by": by})


def post(
    chosen: Settings, path: str, *, content: bytes | None = None, body: Any = None, media_type: str = "application/json"
) -> httpx.Response:
    """Send one request to the gateway with this machine's token.

    Raises:
        OSError: The gateway is not there; the message says what to do.
    """
    url = f"http://{chosen.host}:{chosen.port}{path}"
    headers = {"Authorization": f"Bearer {_token(chosen)}", "Accept-Language": chosen.language}
    try:
        if content is not None:
            return httpx.post(url, content=content, headers={**headers, "Content-Type": media_type}, timeout=TIMEOUT_S)
        return httpx.post(url, json=body, headers=headers, timeout=TIMEOUT_S)
    except httpx.TransportError as error:
        raise OSError(
            f"连不上网关 {url}，请先 make up，或检查 JIAOYING_PORT / the gateway does not answer, start it first"
        ) from error


def _order(kind: str, body: dict[str, Any]) -> None:
    if _show(kind, post(settings(), f"/v1/orders/{kind}", body=body)):
        raise typer.Exit(1)


def _token(chosen: Settings) -> str:
    given = os.environ.get("JIAOYING_TOKEN", "")
    if given:
        return given
    path = own_file(chosen)
    if not path.exists():
        raise OSError(
            f"没有令牌：请设 JIAOYING_TOKEN，或在运行服务的目录执行（{path} 不存在） / no token: set JIAOYING_TOKEN"
        )
    return path.read_text(encoding="utf-8").strip()


def _show(what: str, response: httpx.Response) -> bool:
    """Print the answer; return whether it was a refusal."""
    try:
        answer = response.json()
    except ValueError:
        answer = {"detail": response.text[:300]}
    if response.is_success:
        word = "已收下" if response.status_code == httpx.codes.ACCEPTED else "早已收下（同一份）"
        chain = f"，预警链 {answer['chain_id']}" if answer.get("chain_id") else ""
        console().print(f"{what}: {word} {answer.get('id') or answer.get('ids')}{chain}", highlight=False)
        return False
    element = f"（{answer['element']}）" if answer.get("element") else ""
    error_console().print(f"{what}: 未收下 {response.status_code}{element} {answer.get('detail')}", highlight=False)
    return True
