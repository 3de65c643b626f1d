"""How every door says no: which status, which element, and why, in words a person can act on.

A refusal is about what was sent. Trouble of our own (a database away) must never be told as one.
"""

from __future__ import annotations

from typing import Literal

RefusalStatus = Literal[400, 413, 415]


class RefusedError(Exception):
    """What came in cannot be taken.

    Args:
        status: 400 the content is wrong, 413 it is too large, 415 it is of a kind no door reads.
        element: The element or field at fault, or the name of the document's root.
        reason: One Chinese sentence for a person: what is wrong and what to do.
        reason_en: The same in English.
    """

    def __init__(self, status: RefusalStatus, element: str, reason: str, reason_en: str) -> None:
        super().__init__(f"{status} {element}: {reason}")
        self.status: RefusalStatus = status
        self.element = element
        self.reason = reason
        self.reason_en = reason_en


def kept_spoiled(element: str) -> RefusedError:
    """Return the refusal of what came before, where what was kept of it then cannot be read any more."""
    return RefusedError(
        400,
        element,
        "同样的内容此前收到过，但当时存下的记录已无法读取，系统不会据此叫应。请人工核实，改用新的编号重新发送。",
        "The same came before, and what was kept of it cannot be read: nobody is called for it. Check, and send it "
        "again under another identifier.",
    )


def missing(element: str) -> RefusedError:
    """Return the refusal of a document that lacks an element which calling depends on."""
    return RefusedError(
        400,
        element,
        f"缺少必填项 {element}，请补上后重新发送。",
        f"{element} is missing or empty; add it and send again.",
    )


def unreadable(element: str, value: str) -> RefusedError:
    """Return the refusal of an element whose value cannot be understood; the value is shown, shortened."""
    shown = value if len(value) <= 60 else value[:60] + "…"
    return RefusedError(
        400,
        element,
        f"{element} 的内容“{shown}”无法识别，请改正后重新发送。",
        f'{element} holds "{shown}", which cannot be understood; correct it and send again.',
    )
