"""How a document is spoiled: by bytes, by lines, by its own structure. Everything follows from the generator given."""

from __future__ import annotations

import re
from collections.abc import Callable
from random import Random

Spoiler = Callable[[bytes, Random], bytes]

NUMBER = re.compile(rb"\d+(?:\.\d+)?")
NUMBERS = (
    b"0",
    b"-1",
    b"1e999",
    b"-1e999",
    b"NaN",
    b"Infinity",
    b"9" * 400,
    b"1" + b"0" * 5000,
    b"0x7f",
    b"1_000",
    b"1e-400",
    b"\xe4\xb8\x80",
    b"\xef\xbc\x91\xef\xbc\x92",
    b"99999999999999999999",
    b"2147483648",
    b"-0",
    b"1.7976931348623157e309",
)
WORDS = (
    b"\x00",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"\xed\xa0\x80",
    b"\xc0\xaf",
    "\u202e".encode(),
    "\u2028".encode(),
    b"\x1b[2J",
    b"%00",
    "🙂".encode(),
    b"../../../../etc/passwd",
    b"=cmd|' /C calc'!A0",
    b"'; DROP TABLE letters;--",
    b"{{7*7}}",
    b"<script>",
    b"0000-00-00T00:00:00Z",
    b"9999-12-31T23:59:59+23:59",
    b"2021-07-19T21:59:00",
    b"2021-02-30",
    b"24:00",
    b"&#0;",
    b"&bomb;",
)
LONG_BYTES = 300_000


def flip_bits(content: bytes, chance: Random) -> bytes:
    """A few bits fell over on the way."""
    spoiled = bytearray(content)
    for _ in range(chance.randint(1, 8) if content else 0):
        spoiled[chance.randrange(len(spoiled))] ^= 1 << chance.randrange(8)
    return bytes(spoiled)


def cut_off(content: bytes, chance: Random) -> bytes:
    """The line went dead, or the beginning is missing."""
    place = chance.randint(0, len(content))
    return content[:place] if chance.random() < 0.8 else content[place:]


def _span(content: bytes, chance: Random) -> tuple[int, int]:
    start = chance.randint(0, len(content))
    return start, min(len(content), start + chance.randint(0, 200))


def lose_a_piece(content: bytes, chance: Random) -> bytes:
    """A piece is missing."""
    start, end = _span(content, chance)
    return content[:start] + content[end:]


def repeat_a_piece(content: bytes, chance: Random) -> bytes:
    """A piece came several times, or the whole."""
    if chance.random() < 0.1:
        return content * chance.randint(2, 4)
    start, end = _span(content, chance)
    return content[:end] + content[start:end] * chance.randint(1, 50) + content[end:]


def swap_pieces(content: bytes, chance: Random) -> bytes:
    """Two pieces stand in each other's place."""
    places = sorted(chance.randint(0, len(content)) for _ in range(4))
    a, b, c, d = places
    return content[:a] + content[c:d] + content[b:c] + content[a:b] + content[d:]


def put_in(content: bytes, chance: Random) -> bytes:
    """Something stands in it that nobody expects there."""
    place = chance.randint(0, len(content))
    return content[:place] + chance.choice(WORDS) * chance.choice((1, 1, 1, 40)) + content[place:]


def put_in_much(content: bytes, chance: Random) -> bytes:
    """Very much stands in it."""
    place = chance.randint(0, len(content))
    filling = chance.choice((b"A", b"\xe6\x9a\xb4", b"[", b"(", b" ", b"<a>", b"\n", b"&amp;"))
    return content[:place] + filling * (LONG_BYTES // len(filling)) + content[place:]


def change_a_number(content: bytes, chance: Random) -> bytes:
    """A number is huge, tiny, none at all."""
    found = list(NUMBER.finditer(content))
    if not found:
        return put_in(content, chance)
    chosen = chance.choice(found)
    return content[: chosen.start()] + chance.choice(NUMBERS) + content[chosen.end() :]


def write_otherwise(content: bytes, chance: Random) -> bytes:
    """Another encoding than it says, or than anybody expects."""
    text = content.decode("utf-8", errors="replace")
    encoding = chance.choice(("gb18030", "gbk", "big5", "utf-16", "utf-16-be", "utf-32", "utf-7", "latin-1", "cp037"))
    return text.encode(encoding, errors="replace")


def break_lines_otherwise(content: bytes, chance: Random) -> bytes:
    """Line ends of all systems in one document."""
    ends = (b"\n", b"\r\n", b"\r", b"\n\r", b"\x0b", b"\xc2\x85", b"")
    return b"".join(line + chance.choice(ends) for line in content.splitlines())


def shuffle_lines(content: bytes, chance: Random) -> bytes:
    """Lines are gone, doubled, in another order."""
    lines = content.splitlines(keepends=True)
    for _ in range(chance.randint(1, 5)):
        if not lines:
            break
        place = chance.randrange(len(lines))
        match chance.randrange(3):
            case 0:
                del lines[place]
            case 1:
                lines.insert(chance.randrange(len(lines) + 1), lines[place])
            case _:
                lines.append(lines.pop(place))
    return b"".join(lines)


def blot(content: bytes, chance: Random) -> bytes:
    """Noise in place of a piece, or of everything."""
    if chance.random() < 0.1:
        return chance.randbytes(chance.randint(0, 4000))
    start, end = _span(content, chance)
    return content[:start] + chance.randbytes(end - start) + content[end:]


BY_BYTES: tuple[Spoiler, ...] = (
    flip_bits,
    cut_off,
    lose_a_piece,
    repeat_a_piece,
    swap_pieces,
    put_in,
    put_in_much,
    change_a_number,
    write_otherwise,
    break_lines_otherwise,
    shuffle_lines,
    blot,
)
