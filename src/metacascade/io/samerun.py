"""What of a config may change while a run goes on, and whether two configs are of one run."""
import json

# Setting of `resume` -> its key in [run] of a config as a dict. No rate, and nothing of the past.
CHANGED_BY_RESUME = {"run.duration": "duration_s", "run.max_records": "max_records",
                     "run.stop_when_empty": "stop_when_empty"}


def same(config: dict, other: dict) -> bool:
    """Are two configs, as `Config.to_dict` or a file has them, of one run, which may have been resumed between?"""
    return _lasting(config) == _lasting(other)


def _lasting(config):
    """A config, as a file has it, without what may change."""
    lasting = json.loads(json.dumps(config))
    for key in CHANGED_BY_RESUME.values():
        lasting["run"].pop(key, None)
    return lasting
