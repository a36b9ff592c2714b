"""Foreign text on its way to a terminal, a log or a message: names and values from configs, files, paths, programs.

Control characters could recolor a terminal, move its cursor or forge lines; here they become escapes. `Screen` does so
for all that a process prints, the errors do so for their messages, and `one_line` for a name or value inside of a text.
"""
import contextlib
import math
import re
import sys

# C0, C1, lone surrogates (of names that are not UTF-8), line ends of Unicode, what turns the direction of writing, and
# what has no width; not the joiners, which Persian and emoji need
_HIDDEN = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff"
                     "\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]")
LONGEST_LINE, MOST_LINES = 5000, 200        # of a message
DEEPEST, LONGEST_INTEGER = 8, 64            # levels and digits of a value that is shown


def warn(line):
    """Say on the standard error what is allowed and yet worth a look."""
    print(f"warning: {line}", file=sys.stderr, flush=True)


def visible(text) -> str:
    """A text with each hidden character as an escape, such as ``\\x1b``; line breaks stay."""
    return _HIDDEN.sub(_escape, str(text))


def _escape(match):
    return match[0].encode("unicode_escape").decode("ascii")


def one_line(text, longest=300) -> str:
    """A name or text of others in one line: line breaks are escapes too, and what is too long is cut."""
    line = visible(str(text)[:longest + 1]).replace("\n", "\\n")
    return line if len(line) <= longest else line[:longest - 3] + "..."


def bounded(text) -> str:
    """A text of several lines, each visible and none endless."""
    lines = str(text).split("\n")
    if len(lines) > MOST_LINES:
        lines = lines[:MOST_LINES - 1] + [f"and {len(lines) - MOST_LINES + 1:,} more lines"]
    return "\n".join(one_line(line, LONGEST_LINE) for line in lines)


def shown(value, longest=60) -> str:
    """A value of a config as TOML or JSON would have it, cut: whatever it is, and however large."""
    text = ""
    for piece in _pieces(value, 0):
        text += piece
        if len(text) > longest:
            return text[:longest - 3] + "..."
    return text


def _pieces(value, depth):
    """The text of a value, bit by bit, so that no more of it is made than is shown."""
    if isinstance(value, str):
        yield _quoted(value)
    elif isinstance(value, bool) or value is None:
        yield {True: "true", False: "false", None: "nothing"}[value]
    elif isinstance(value, int):
        yield _integer(value)
    elif isinstance(value, float):
        yield repr(float(value))
    elif isinstance(value, (dict, list, tuple)) and depth == DEEPEST:
        yield "..."
    elif isinstance(value, dict):
        yield from _inside("{}", ((_quoted(key) + ": ", item) for key, item in value.items()), depth)
    elif isinstance(value, (list, tuple)):
        yield from _inside("[]", (("", item) for item in value), depth)
    else:
        yield one_line(value)


def _inside(brackets, items, depth):
    yield brackets[0]
    for number, (name, item) in enumerate(items):
        yield ", " * (number > 0) + name
        yield from _pieces(item, depth + 1)
    yield brackets[1]


def _quoted(text):
    return '"' + one_line(str(text).replace("\\", "\\\\").replace('"', '\\"')) + '"'


def _integer(number):
    """Python refuses to write integers of thousands of digits."""
    digits = int(max(number.bit_length() - 1, 0) * math.log10(2)) + 1
    return str(int(number)) if digits <= LONGEST_INTEGER else f"(a whole number of about {digits:,} digits)"


class Screen:
    """A text stream that lets nothing hidden through but line breaks."""

    def __init__(self, stream):
        self.stream = stream

    def write(self, text):
        """Write a text with all of it visible; returns the length of the text."""
        self.stream.write(visible(text) if isinstance(text, str) else text)     # what is no text is refused there
        return len(text)

    def writelines(self, lines):
        """Write lines as `write` does."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name):
        return getattr(self.stream, name)


def bare(stream):
    """The stream behind a Screen, for escapes of our own."""
    return bare(stream.stream) if isinstance(stream, Screen) else stream


@contextlib.contextmanager
def screened():
    """In the body all that is printed goes through a Screen."""
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = map(Screen, before)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before
