"""How words sound, as audio: by espeak-ng, where it is installed. Nobody is called with it."""

from __future__ import annotations

import shutil
import subprocess

from config.faults import Language

VOICES: dict[Language, str] = {"zh": "cmn", "en": "en"}
TIMEOUT_S = 60
WORDS_MAX = 2000


def can_speak() -> bool:
    """Return whether a program that speaks is installed."""
    return shutil.which("espeak-ng") is not None


def speech_of(words: str, language: Language) -> bytes:
    """Return words as a WAV.

    Raises:
        OSError: No program that speaks is installed.
        subprocess.SubprocessError: It failed, or took too long.
    """
    program = shutil.which("espeak-ng")
    if program is None:
        raise FileNotFoundError(2, "espeak-ng is not installed", "espeak-ng")
    # The words go in by standard input: none of them can be taken for an option.
    spoken = subprocess.run(  # noqa: S603 - a fixed program, no shell
        [program, "-v", VOICES[language], "--stdin", "--stdout"],
        input=words[:WORDS_MAX].encode(),
        check=True,
        timeout=TIMEOUT_S,
        capture_output=True,
    )
    return spoken.stdout
