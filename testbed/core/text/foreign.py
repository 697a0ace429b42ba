"""What a file is that was given instead of a text of ours or a capture, by its first bytes, and what makes it one."""

from testbed.core.errors import ScenarioError

_KINDS = (
    (b"\x1f\x8b", "gzip", "gunzip {}"),
    (b"BZh", "bzip2", "bunzip2 {}"),
    (b"\xfd7zXZ\x00", "xz", "unxz {}"),
    (b"\x28\xb5\x2f\xfd", "zstd", "unzstd {}"),
    (b"PK\x03\x04", "a zip archive", "unzip {}"),
    (b"\xff\xfe", "UTF-16 text", "iconv -f UTF-16 -t UTF-8 {}"),
    (b"\xfe\xff", "UTF-16 text", "iconv -f UTF-16 -t UTF-8 {}"),
)
"""First bytes, what begins so, and the command that turns it into what is read."""
PACKED = {".gz": "gunzip", ".bz2": "bunzip2", ".xz": "unxz", ".zst": "unzstd", ".zip": "unzip"}
"""How the names of packed files end, and what unpacks them."""
BOM = "\ufeff"


def foreign(head: bytes, name: str) -> str | None:
    """``this is gzip; unpack it first: gunzip FILE``; None for whatever may be ours. ``head``: its first bytes."""
    for magic, kind, command in _KINDS:
        if head.startswith(magic):
            verb = "convert" if "text" in kind else "unpack"
            return f"this is {kind}; {verb} it first: {command.format(name)}"
    return None


def as_text(data: bytes, name: str) -> str:
    """UTF-8, with or without a byte order mark. Raises ``ScenarioError``, saying what it is instead."""
    if said := foreign(data, name):
        raise ScenarioError(said, name)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ScenarioError("is not UTF-8 text; save it as UTF-8", f"{name}:{line}") from error
