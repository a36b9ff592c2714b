"""An example for each command, which its help ends with: name of the command -> lines."""

EXAMPLES = {
    "check": ["check my.toml", 'check my.toml --set run.duration="10 days"'],
    "run": ["run my.toml --out runs/a", 'run my.toml --out runs/a --set tumor.cells=50_000 --wall-limit "11.5 h"',
            "run my.toml --out runs/a --dry-run"],
    "submit": ["submit my.toml --out runs/a --nodes 4 --time 12h"],
    "resume": ["resume runs/a", 'resume runs/a --set run.duration="20 days"'],
    "branch": ['branch runs/a --at "5 days" --out runs/b',
               'branch runs/a/checkpoint.h5 --out runs/b --set run.duration="12 days" --set blood.nk=3/h'],
    "sweep": ["sweep examples/sweep_shedding.toml --out runs/shedding --jobs 2"],
    "arms": ["arms examples/arms_resection.toml --out runs/arms --jobs 2"],
    "cohort": ["cohort examples/cohort_breast.toml --out runs/breast", "cohort my_cohort.toml --out runs/c --dry-run"],
    "reproduce": ["reproduce", "reproduce V13 --out runs/published --jobs 2"],
    "soil": ["soil my.toml series.csv"],
    "init": ["init", "init mouse_breast my.toml"],
    "schema": ["schema > metacascade.schema.json"],
    "info": ["info runs/a", "info runs/a --all", "info --parameters growth.division_time",
             "info --rates my.toml blood.nk", "info --preset human_lung"],
    "watch": ["watch runs/a", "watch runs/a --once"],
    "cascade": ["cascade runs/a", "cascade runs/b --parents", "cascade runs/a --csv numbers.csv"],
    "report": ["report runs/a", "report runs/a runs/b --out compared", "report runs/a --talk"],
    "efficiency": ["efficiency my.toml", "efficiency my.toml --out runs/tornado"],
    "digest": ["digest runs/a"],
    "doctor": ["doctor", "doctor --json"],
    "bench": ["bench", "bench my.toml --steps 20"],
    "completion": ["completion bash > ~/.local/share/bash-completion/completions/metacascade"],
    "scaling strong": ["scaling strong my.toml --ranks 1,2,4 --out runs/strong"],
    "scaling weak": ["scaling weak my.toml --ranks 1,2,4 --out runs/weak --repeat 3"],
    "scaling project": ["scaling project runs/strong runs/weak --ranks 1e3,1e5"],
}


def give(app, group=""):
    """Let the help of each command of a typer end with its examples."""
    for command in app.registered_commands:
        name = f"{group} {command.name or command.callback.__name__}".strip()
        if lines := EXAMPLES.get(name):
            command.epilog = "\b\nExamples:\n" + "\n".join(f"  metacascade {line}" for line in lines)
    for inner in app.registered_groups:
        give(inner.typer_instance, inner.name)
