"""What a user's own code did wrong, in a few words, with the place in their own file."""

from types import TracebackType

from testbed.core.text.printable import printable, said_by


def told(fault: BaseException) -> str:
    """Its type and first line, made printable."""
    words = said_by(fault).strip().split("\n")[0]
    return type(fault).__name__ + (f": {printable(words)}" if words else "")


def shown(value: object) -> str:
    """A value in a few words, whatever its ``repr`` does."""
    try:
        said = repr(value)
    except Exception:  # noqa: BLE001 - it is the user's own class
        said = "something that cannot be shown"
    return printable(said if len(said) <= 60 else f"{said[:57]}...") + f" ({type(value).__name__})"


def place_in(file: str, trace: TracebackType | None) -> str | None:
    """``file:line``, the deepest of that file that a traceback knows."""
    found = None
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == file:
            found = f"{file}:{trace.tb_lineno}"
        trace = trace.tb_next
    return found


def line_in(file: str, fault: BaseException) -> int | None:
    """The line at which a file broke as it was run, if it was in that file. What cannot be parsed was never run."""
    if isinstance(fault, SyntaxError) and fault.filename == file:
        return fault.lineno
    place = place_in(file, fault.__traceback__)
    return None if place is None else int(place.rpartition(":")[2])


def defined_at(owner: object, method: str) -> str:
    """Where that method of an object or class begins, ``file:line``; its class's name if nobody knows."""
    kind = owner if isinstance(owner, type) else type(owner)
    code = getattr(getattr(owner, method, None), "__code__", None)
    return kind.__name__ if code is None else f"{code.co_filename}:{code.co_firstlineno}"


def raised_at(owner: object, method: str, fault: BaseException) -> str:
    """The deepest place of ``fault`` in the file of that method; else where the method begins."""
    defined = defined_at(owner, method)
    return place_in(defined.rpartition(":")[0], fault.__traceback__) or defined
