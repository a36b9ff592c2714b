"""Names as users write them: lists of them, and the nearest known one for messages about a mistyped one."""
import difflib


def listed(text: str) -> tuple[str, ...]:
    """The names in a text with commas between, each once."""
    return tuple(dict.fromkeys(word.strip() for word in text.split(",")))


def public_names(kind: type) -> list[str]:
    """What users find in objects of a class: its public methods and properties, and the attributes that it declares."""
    declared = {name for one in kind.__mro__ for name in vars(one).get("__annotations__", ())}
    return sorted(name for name in {*dir(kind), *declared} if not name.startswith("_"))


def nearest(name, known) -> str:
    """`` (did you mean 'speed'?)``, or nothing where no known name is near."""
    known = [str(k) for k in known]
    lower = {k.lower(): k for k in known}
    if found := difflib.get_close_matches(str(name)[:100].lower(), list(lower), n=1, cutoff=0.6):
        return f" (did you mean {lower[found[0]]!r}?)"
    return ""
