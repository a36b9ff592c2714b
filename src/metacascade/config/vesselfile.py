"""The name of a file of vessels in a config."""
import os

from metacascade.config.given import is_unicode
from metacascade.config.read import Problem


def resolve(values, document, problems):
    """Make the name of the vessel file absolute; it is given relative to the config."""
    name = values.get("vessels", {}).get("file")
    if isinstance(name, str):
        values["vessels"]["file"] = path = os.path.join(os.path.abspath(document.folder), name)
        needed = not document.stored or ("vessels", "file") in document.overridden
        if not is_unicode(path):
            problems.append(Problem(("vessels", "file"), f"{path} is not text in UTF-8: rename it"))
        elif needed and ("\0" in path or not os.path.isfile(path)):
            problems.append(Problem(("vessels", "file"), _no_file(path, name)))


def _no_file(path, name):
    """Why a name is none of a vessel file."""
    if not name:
        return "is empty: give the name of a file, or leave it out"
    return f"{path} is no regular file" if "\0" not in path and os.path.exists(path) else f"there is no file {path}"
