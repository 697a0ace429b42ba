"""A dissector for Wireshark and tshark in Lua, made from the messages' own table, so that the two cannot differ.

Fields are called as in ``wire.messages``: ``fastmotion.round_begin.page_bytes``. The channel is put together again from
its segments. Of page streams what begins a segment is shown, since captures keep no page bytes.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import fields
from importlib.resources import files
from typing import Any

from testbed.core.network.names import CHANNEL_PORT, STREAM_PORT
from testbed.core.version import __version__
from testbed.wire import messages as wire
from testbed.wire.tcp import FIELDS as CONNECTION
from testbed.wire.tcp import FLAGS, LAYOUT

NAME = "fastmotion"
_KINDS = {"Q": ("uint64", 8), "I": ("uint32", 4), "H": ("uint16", 2), "B": ("uint8", 1)}


def dissector() -> str:
    """The whole script, for Wireshark's folder of plugins."""
    classes: list[Any] = [*wire.FIXED, wire.Abandon, wire.Failed, wire.Pages, wire.GuestConnection]
    tables = [
        "local messages = {",
        *(_message(each) for each in sorted(classes, key=lambda each: each.type)),
        "}",
        f"local connection_flags = {{{', '.join(f'{{{bit}, {_quoted(name)}}}' for name, bit in FLAGS.items())}}}",
        f"local VERSION, CHANNEL_PORT, STREAM_PORT = {wire.VERSION}, {CHANNEL_PORT}, {STREAM_PORT}",
        f"local EXTENTS = {wire.MAX_EXTENTS}",
    ]
    code = files("testbed.packets").joinpath("wireshark.lua").read_text(encoding="utf-8")
    head = f"-- Fast Motion {__version__}: made by `testbed schema wireshark`"
    return "\n".join([head, *tables, "", code])


def _message(kind: Any) -> str:
    """Its number, name, longest body, and fields as {name, kind, bytes}."""
    shown = ", ".join(f"{{{_quoted(name)}, {_quoted(what)}, {size}}}" for name, what, size in _fields(kind))
    number = wire.Type(kind.type)
    return (
        f"  [{number.value}] = {{name = {_quoted(kind.__name__)}, key = {_quoted(_snake(kind.__name__))}, "
        f"longest = {wire.longest(number)}, fields = {{{shown}}}}},"
    )


def _fields(kind: Any) -> Iterator[tuple[str, str, int]]:
    if kind is wire.GuestConnection:
        yield from _of_layout(LAYOUT, CONNECTION)
    elif kind in (wire.Abandon, wire.Failed):
        yield fields(kind)[0].name, "string", 0
    elif kind is wire.Pages:
        yield from (("round", "uint32", 4), ("count", "uint32", 4))
    else:
        yield from _of_layout(kind.layout.format, [each.name for each in fields(kind)])


def _of_layout(layout: str, names: Sequence[str]) -> Iterator[tuple[str, str, int]]:
    """``!16sQ``: 16 bytes, and a number of 8; four bytes are an address."""
    for name, (size, code) in zip(names, re.findall(r"(\d*)([sQIHB])", layout), strict=True):
        if code == "s":
            yield name, "ipv4" if size == "4" else "bytes", int(size)
        else:
            yield name, *_KINDS[code]


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


def _quoted(text: str) -> str:
    return f'"{text}"'
