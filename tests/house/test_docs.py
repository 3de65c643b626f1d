"""What the documents say exists: every link, command, target, variable, path, topic, test and figure they name."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

from agents.callout.state import CalloutState
from config.settings import PREFIX, Settings
from streams.cli.root import app
from streams.letters import MESSAGE
from streams.topics import TOPICS
from tests.house.readme_night import READMES, ROOT, block, run, tell

DOCS = sorted([*READMES.values(), ROOT / "CHANGELOG.md", *ROOT.glob("docs/**/*.md"), *ROOT.glob("agents/*/README.md")])
NAMES = [str(path.relative_to(ROOT)) for path in DOCS]
OTHER_VARIABLES = {"JIAOYING_TOKEN", "JIAOYING_TEST_FIGURES", "JIAOYING_TEST_REQUIRE", "JIAOYING_TEST_SEED"}
"""Read by the commands that speak to a gateway, and by tests; no settings of an installation."""


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def code_of(text: str) -> Iterator[str]:
    """Yield what stands between backticks and every line of the shell blocks, comments left out."""
    fences = re.findall(r"```(\w*)\n(.*?)```", text, re.DOTALL)
    for language, body in fences:
        if language == "sh":
            yield from (line.split(" #")[0].strip() for line in body.replace("\\\n", " ").splitlines())
    yield from re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))


def anchors_of(path: Path) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", text_of(path), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("path", DOCS, ids=NAMES)
def test_every_link_leads_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", text_of(path)):
        if target.startswith("https://"):
            continue
        file, _, anchor = target.partition("#")
        found = (path.parent / file).resolve() if file else path
        assert found.exists(), f"{path.name} links to {target}, which does not exist"
        assert not anchor or anchor in anchors_of(found), f"{path.name} links to a heading {target} that is not there"


@pytest.mark.parametrize("path", DOCS, ids=NAMES)
def test_every_path_that_is_named_exists(path: Path) -> None:
    for code in code_of(text_of(path)):
        for named in re.findall(r"(?<![\w/.{])((?:agents|config|docs|rosters|streams|tests)/[\w./*-]*)", code):
            assert list(ROOT.glob(named.rstrip("/."))), f"{path.name} names {named}, which does not exist"


@pytest.mark.parametrize("path", DOCS, ids=NAMES)
def test_every_make_target_that_is_named_exists(path: Path) -> None:
    targets = set(re.findall(r"^([a-z0-9-]+):", text_of(ROOT / "Makefile"), re.MULTILINE))
    for code in code_of(text_of(path)):
        if code.startswith("make "):
            assert code.split()[1] in targets, f"{path.name} names {code!r}, which the Makefile has not"


@pytest.mark.parametrize("path", DOCS, ids=NAMES)
def test_every_command_that_is_named_exists_with_its_options(path: Path) -> None:
    for code in code_of(text_of(path)):
        words = code.split()
        if words and re.fullmatch(r"(\.venv/bin/)?jiaoying", words[0]):
            check_command(words[1:], f"{path.name}: {code}")


def check_command(words: list[str], where: str) -> None:
    command: Any = typer.main.get_command(app)
    while words and hasattr(command, "commands") and not words[0].startswith("--"):
        assert words[0] in command.commands, f"{where}: there is no command {words[0]}"
        command = command.commands[words.pop(0)]
    known = {name for parameter in command.params for name in parameter.opts} | {"--help"}
    for word in words:
        assert not word.startswith("--") or word in known, f"{where}: there is no option {word}"


@pytest.mark.parametrize("path", DOCS, ids=NAMES)
def test_every_variable_that_is_named_exists(path: Path) -> None:
    known = {PREFIX + name.upper() for name in Settings.model_fields} | OTHER_VARIABLES
    for variable in re.findall(r"\bJIAOYING_[A-Z_]+\b", text_of(path)):
        assert variable in known, f"{path.name} names {variable}, which nothing reads"


@pytest.mark.parametrize("path", READMES.values(), ids=READMES)
def test_every_setting_is_in_the_table_of_the_readme_with_its_plain_default(path: Path) -> None:
    rows = {name: line for line in text_of(path).splitlines() for name in re.findall(r"^\| .*`(JIAOYING_\w+)`", line)}
    named = set(re.findall(r"JIAOYING_\w+", "\n".join(rows.values())))
    assert {PREFIX + name.upper() for name in Settings.model_fields} <= named
    for name in ("data_dir", "preset", "language", "log_level", "metrics_port", "realm", "carrier"):
        default = Settings.model_fields[name].default
        assert f"| `{default}` |" in rows[PREFIX + name.upper()], f"the default of {name} is {default}"


def test_the_readmes_link_each_other_in_their_first_line() -> None:
    first = {language: text_of(path).splitlines()[0] for language, path in READMES.items()}
    assert READMES["zh"].name in first["en"]
    assert READMES["en"].name in first["zh"]


def test_both_readmes_name_the_same_commands_paths_and_variables() -> None:
    english, chinese = (re.findall(r"`([\x21-\x7e]+)`", text_of(READMES[one])) for one in ("en", "zh"))
    assert sorted(set(english) - set(chinese)) == []
    assert sorted(set(chinese) - set(english)) == []


def test_every_decision_is_numbered_once_and_in_the_index() -> None:
    files = sorted(path.name for path in (ROOT / "docs" / "adr").glob("[0-9]*.md"))
    assert [int(name[:4]) for name in files] == list(range(1, len(files) + 1))
    index = text_of(ROOT / "docs" / "adr" / "README.md")
    assert re.findall(r"\]\((\d{4}-[\w-]+\.md)\)", index) == files


def test_every_kind_of_letter_is_in_the_table_of_ids_under_its_topic() -> None:
    rows = re.findall(r"^\| `([a-z_]+)` \| `([a-z.]+)` \|", text_of(ROOT / "docs" / "ids.md"), re.MULTILINE)
    mapping = MESSAGE.json_schema()["discriminator"]["mapping"]
    assert sorted(kind for kind, _ in rows) == sorted(mapping)
    assert {topic for _, topic in rows} == {topic.name for topic in TOPICS if topic.carries != "nothing"}


def test_every_kind_of_id_that_is_made_is_in_the_table_of_ids() -> None:
    table = text_of(ROOT / "docs" / "ids.md")
    sources = [path for folder in ("agents", "streams") for path in (ROOT / folder).rglob("*.py")]
    kinds = {
        kind for path in sources for kind in re.findall(r"make_id\([^\"()]*(?:\([^()]*\))?,\s*\"(\w+)\"", text_of(path))
    }
    assert kinds >= {"warning", "callout", "attempt"}
    # "realm" is no thing: the settings and the pages try a realm's shape with it.
    assert not {kind for kind in kinds - {"realm"} if f"`{kind}`" not in table}


def test_every_state_of_an_ended_callout_has_its_honest_word() -> None:
    told = text_of(ROOT / "docs" / "adr" / "0010-honest-words.md")
    stopped = {CalloutState.SUPERSEDED, CalloutState.CANCELLED, CalloutState.CORRECTED, CalloutState.EXPIRED}
    open_ones = {CalloutState.HELD, CalloutState.CALLING, CalloutState.FETCHING, CalloutState.HEARD_NO_KEY}
    assert set(re.findall(r"^\| `(\w+)` \|", told, re.MULTILINE)) == set(CalloutState) - stopped - open_ones


def test_every_test_that_a_document_points_to_exists() -> None:
    there = {name for path in ROOT.glob("tests/**/test_*.py") for name in re.findall(r"def (test_\w+)", text_of(path))}
    named = {name for path in DOCS for name in re.findall(r"`(test_\w+)`", text_of(path))}
    assert named
    assert sorted(named - there) == []


def test_the_night_of_the_readmes_is_the_one_that_the_program_runs() -> None:
    night = run()
    for language, path in READMES.items():
        told = block(text_of(path))
        assert told == tell(night, language), f"{path.name} is of another night: python -m tests.house.readme_night"


def test_no_document_names_this_machine() -> None:
    here = [part for part in (os.path.expanduser("~"), str(ROOT)) if part not in ("/", "")]
    for path in DOCS:
        assert not [part for part in here if part + "/" in text_of(path)], path.name
