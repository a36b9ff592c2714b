"""What is in the directory of `reproduce --out`: the verdicts that are there, as `metacascade info` tells them."""
import json
from pathlib import Path

from metacascade.base.errors import InputError
from metacascade.base.screen import one_line
from metacascade.io import atomic

VERDICT = "verdict.json"


def is_study(path) -> bool:
    """Is a path the directory of `reproduce --out`, or of one of its experiments?"""
    return Path(path).is_dir() and bool(_files(Path(path)))


def _files(directory):
    own = directory / VERDICT
    return [own] if own.is_file() else sorted(directory.glob(f"*/{VERDICT}"))


def describe(directory):
    """A text for each experiment: its comparisons, what came out, and the verdict. InputError for a damaged file."""
    for path in _files(Path(directory)):
        with atomic.reading(path):
            text = path.read_text("utf-8", "replace")
        try:
            told = json.loads(text)
            lines = [f"{path.parent.name}: {len(told['findings'])} comparisons, {told['code']}"]
            lines += [f"  {found['verdict']:10} {name}: {found['text'] or '-'}"
                      for name, found in zip(told["comparisons"], told["findings"], strict=True)]
        except (ValueError, LookupError, TypeError, RecursionError):
            raise InputError(f"{path} is not as metacascade writes it: `metacascade reproduce "
                             f"{one_line(path.parent.name)}` writes it anew") from None
        yield "\n".join(one_line(line, 1000) for line in lines)
