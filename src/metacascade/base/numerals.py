"""Numbers as people write them. Python's own float() and int() also take ``1_0``, full-width digits, nan and inf."""
import math
import re

NUMBER = r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
DIGITS = 19                   # of a whole number: those of 64 bits
_NUMBER = re.compile(NUMBER)
_WHOLE = re.compile(rf"[+-]?[0-9]{{1,{DIGITS}}}")
_ONE = re.compile(r"(?<![0-9.,])(1 (?:single )?(?:cell|cluster|division|death|mutation|passage|step|rank|row|lesion|"
                  r"tile|clone|member|replicate|patient|point|output|value|segment|seed|column))s\b")


def number(text: str) -> float:
    """The finite number that is written in `text`, spaces round it aside. ValueError for any other text."""
    value = float(text) if _NUMBER.fullmatch(text := text.strip(" \t")) else math.nan
    if not math.isfinite(value):
        raise ValueError(f"{text!r} is not a number")
    return value


def whole(text: str) -> int:
    """The whole number of at most 19 digits that is written in `text`. ValueError for any other text."""
    if not _WHOLE.fullmatch(text := text.strip(" \t")):
        raise ValueError(f"{text!r} is not a whole number")
    return int(text)


def counted(n: int, thing: str) -> str:
    """``1 lesion``, ``2,000 lesions``."""
    return f"{n:,} {thing}{'s' * (n != 1)}"


def is_count(text: str) -> bool:
    """Is it a whole number without a sign? Unlike ``text.isdigit()`` False for all that `whole` refuses."""
    return bool(_WHOLE.fullmatch(text)) and text[0] not in "+-"


def singular(text: str) -> str:
    """The same text with ``1 cell`` for ``1 cells``, whatever is counted."""
    return _ONE.sub(r"\1", text)


def size(number: float) -> str:
    """Bytes as text: ``1.25 GiB``, ``3.1 MiB``, ``20 KiB``."""
    if number < 2**20 / 10:
        return f"{number / 2**10:,.0f} KiB"
    if number >= 2**43:
        return f"{number / 2**40:,.0f} TiB"
    return f"{number / 2**30:,.2f} GiB" if number >= 2**30 else f"{number / 2**20:,.1f} MiB"
