"""How words sound, as audio: by espeak-ng, where it is installed. Nobody is called with it."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

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
    # Into a file: written to a pipe, a WAV cannot say in its head how long it is.
    with tempfile.TemporaryDirectory() as folder:
        audio = Path(folder) / "speech.wav"
        # The words go in by standard input: none of them can be taken for an option.
        subprocess.run(  # noqa: S603 - a fixed program, no shell
            [program, "-v", VOICES[language], "-w", str(audio), "--stdin"],
            input=words[:WORDS_MAX].encode(),
            check=True,
            timeout=TIMEOUT_S,
            capture_output=True,
        )
        return audio.read_bytes()
