"""The directory of a report: refused where it holds anything else, and rid of the files of an earlier one."""
import json
from pathlib import Path

from metacascade.base.errors import InputError
from metacascade.io.atomic import reading, write_bytes, write_text, writing
from metacascade.io.formerreport import FIGURES, INDEX, KIND, LIST, figures, marked


class Directory:
    """Where a report is written: files under their final names, the page last."""

    def __init__(self, path):
        self.path, self.names = Path(path), []
        refuse_other(self.path)

    def begin(self):
        """Make the directory, and remove an earlier report: first its page, which would show what is no more there."""
        with writing(self.path):
            (self.path / FIGURES).mkdir(parents=True, exist_ok=True)
            (self.path / INDEX).unlink(missing_ok=True)
            for name in figures(self.path) or ():
                (self.path / name).unlink(missing_ok=True)
        self._write_list()          # so that one that is interrupted is known as a report

    def write(self, name, data):
        """A file of a figure: text or bytes. The list has it before it is there, so that the next report removes it."""
        self.names.append(f"{FIGURES}/{name}")
        self._write_list()
        path = self.path / FIGURES / name
        write_text(path, data) if isinstance(data, str) else write_bytes(path, [(0, data)])

    def end(self, text):
        """The page."""
        write_text(self.path / INDEX, text)
        return self.path / INDEX

    def _write_list(self):
        write_text(self.path / LIST, json.dumps({"kind": KIND, "files": sorted(self.names)}, indent=1) + "\n")


def refuse_other(path):
    """InputError for a path at which there is anything but an earlier report, or nothing."""
    path = Path(path)
    if path.exists() and not path.is_dir():
        raise InputError(f"{path} is a file; --out names a directory")
    with reading(path):
        others = [one.name for one in path.iterdir()] if path.is_dir() else []
    if others and marked(path) is None:
        raise InputError(f"{path} holds files, and no earlier report of `metacascade report`: choose another --out")
