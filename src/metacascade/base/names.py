"""The nearest known name, for messages about a mistyped one."""
import difflib


def nearest(name, known) -> str:
    """`` (did you mean 'speed'?)``, or nothing where no known name is near."""
    known = [str(k) for k in known]
    lower = {k.lower(): k for k in known}
    if found := difflib.get_close_matches(str(name)[:100].lower(), list(lower), n=1, cutoff=0.6):
        return f" (did you mean {lower[found[0]]!r}?)"
    return ""
