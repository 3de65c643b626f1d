"""Whether the telephones of an installation are nobody's: only then may a person play with them at a page."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from config.settings import Settings


def phones_are_fake(settings: Settings) -> bool:
    """Return whether no telephone of this installation is real, whatever was approved and whoever rehearses.

    So it is without a real carrier, and where every address of every carrier is this machine's own: fake vendors.
    """
    return all(_is_fake(name, settings) for name in settings.carriers)


def _is_fake(carrier: str, settings: Settings) -> bool:
    addresses = {
        "twilio": (settings.twilio_api_base,),
        "aliyun": (settings.aliyun_voice_api, settings.aliyun_text_api),
    }[carrier]
    return all(_is_this_machine(address) for address in addresses)


def _is_this_machine(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
