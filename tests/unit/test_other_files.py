"""A file for another command is told as such."""
import pytest

from metacascade.base.errors import InputError
from metacascade.config import presets
from metacascade.config.config import load
from metacascade.studies import arms_file, cohort_file, sweep_file

READ = {"sweep": sweep_file.read, "arms": arms_file.read, "cohort": cohort_file.read, "run": load}
FILES = {"sweep": "sweep_shedding", "arms": "arms_resection", "cohort": "cohort_breast", "run": "mouse_breast"}


@pytest.mark.parametrize("own", READ)
@pytest.mark.parametrize("command", FILES)
def test_a_file_for_another_command_is_told_as_such_and_nothing_else_of_it(own, command):
    path = presets.FOLDER / f"{FILES[command]}.toml"
    if own == command:
        assert READ[own](path)
    else:
        with pytest.raises(InputError) as error:
            READ[own](path)
        assert str(error.value).endswith(f"a file with this is for `metacascade {command}`")
