"""What rates come to together is told where it is hardly wanted."""
from metacascade.config.config import load


def test_a_lumped_tumor_above_its_capacity_is_told_and_no_other():
    run = {"run": {"step": "1 day", "duration": "60 days"}, "output": {"interval": "1 day"}}
    for cells, told in ((1000, []), (1001, ["tumor.cells = 1,001 is more than lumped.capacity = 1000: the tumor shrinks"])):
        config = load(run | {"tumor": {"cells": cells, "lumped": True}, "lumped": {"capacity": 1000}})
        assert [line for line in config.warnings if "shrinks" in line] == told
