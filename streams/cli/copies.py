"""`jiaoying copies`: who gets one-way copies, whether their addresses work, and that copies count for nothing."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from agents.copies.decide import RETRY_AFTER_S, TRIES_MAX
from agents.copies.receivers import COPIES_FILE, NotTakenError, Receiver, load_receivers
from agents.copies.wording import Voice, say_test
from agents.facts import Facts
from config.faults import Language, Word
from config.load import load_rules
from config.settings import Settings
from rosters.load import load_county
from streams.cli.screen import console, settings

app = typer.Typer(no_args_is_help=True)
COUNTS_FOR_NOTHING = Word(
    "抄送不计为叫到，也不计为应答：有没有人看，都照常打电话，直到应答为止。",
    "Copies never count as reached or answered: whoever reads them, calling goes on until somebody answers.",
)


@app.callback()
def copies() -> None:
    """抄送到群和邮箱 / copies to group chats and mailboxes."""


@app.command()
def check(
    send: Annotated[bool, typer.Option("--send", help="给每个接收方发一条【测试】 / send each a test")] = False,
) -> None:
    """列出接收方，说明抄送算不算数；可试发 / list the receivers; try them."""
    chosen = settings()
    screen, language = console(), chosen.language
    receivers = load_receivers(chosen.data_dir, language)
    screen.print(COUNTS_FOR_NOTHING.said(language), highlight=False)
    if not receivers:
        none = Word(
            f"没有配置抄送：写 {chosen.data_dir / COPIES_FILE}，写法见 agents/copies/README.md",
            f"no copies are configured: write {chosen.data_dir / COPIES_FILE}, see agents/copies/README.md",
        )
        screen.print(none.said(language), highlight=False, soft_wrap=True)
        return
    minutes = round(sum(RETRY_AFTER_S) / 60)
    tries = Word(
        f"未送出的最多试{TRIES_MAX}次，约{minutes}分钟，之后放弃并提示值班室",
        f"what is not taken is tried {TRIES_MAX} times within {minutes} min, then given up and shown on the board",
    )
    verdicts = [_try(receiver, chosen, send=send) for receiver in receivers]
    screen.print(_table(receivers, verdicts, language))
    screen.print(f"· {tries.said(language)}", highlight=False)
    if any(verdict.startswith("✗") for verdict in verdicts):
        raise typer.Exit(1)


def _try(receiver: Receiver, chosen: Settings, *, send: bool) -> str:
    # Only here: the library takes a quarter of a second to import.
    from agents.copies.hand_over import hand_over, open_way

    try:
        if not send:
            open_way(receiver)
            return Word("地址可读", "address can be read").said(chosen.language)
        county = load_county(chosen.county_folder, around=chosen.clock().now())
        facts = Facts(county, load_rules(chosen.rules_folder, preset=chosen.preset, language=chosen.language))
        voice = Voice(chosen.language, rehearsal=chosen.rehearsal)
        hand_over(receiver, *say_test(facts, voice, receiver.name))
    except NotTakenError as error:
        return f"✗ {error}"
    return Word("已交给对方服务器，请到群里或邮箱里看", "taken by its server; look into the chat or mailbox").said(
        chosen.language
    )


def _table(receivers: tuple[Receiver, ...], verdicts: list[str], language: Language) -> Table:
    table = Table()
    for word in (Word("名称", "name"), Word("服务", "service"), Word("抄送什么", "told"), Word("结果", "verdict")):
        table.add_column(word.said(language))
    for receiver, verdict in zip(receivers, verdicts, strict=True):
        table.add_row(receiver.name, receiver.service, " ".join(receiver.events), verdict)
    return table
