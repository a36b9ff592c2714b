"""What ``metacascade info`` lists: rates, columns, parameters, classes of drugs, versions."""
from pathlib import Path


def _config_of(path):
    """The config of a file, of a run, or of the directory of a cohort, a sweep or arms, and its text."""
    from metacascade.run import inputs
    from metacascade.studies import standing
    many = standing.is_cohort(path) or standing.is_sweep(path)
    return standing.config_of(path) if many else inputs.config_of(path)


def rates(file, names, markdown):
    """Every rate of a config, of that of a run, or of the default one, or those that begin with `names`; as in
    docs/model.md, of one with every mechanism."""
    from metacascade.config import known
    from metacascade.config.config import default, everything
    from metacascade.mechanisms import equations, plan_of
    if markdown:
        print(equations.markdown(plan_of(everything()), equations.optional(default(), everything())))
    else:
        if file is not None and not Path(file).exists() and not str(file).endswith(".toml"):
            file, names = None, [str(file), *names]         # a rate of the default config
        loaded, text = (default(), "") if file is None else _config_of(file)
        print(equations.report(plan_of(loaded), loaded, known.sources(loaded, text), names))


def columns(file, markdown):
    """The columns of the time series and of the table by organ."""
    from metacascade.base import columns as declared_columns
    from metacascade.config.config import default
    from metacascade.mechanisms import plan_of
    from metacascade.model import observables
    plan = plan_of(default() if file is None else _config_of(file)[0])
    declared, by_node = observables.columns(plan), observables.by_node(plan)
    print(declared_columns.markdown(declared) + "\n" + declared_columns.markdown_by_node(by_node) if markdown else
          declared_columns.table(declared) + declared_columns.table_by_node(by_node), end="")


def drugs():
    """The classes of drugs, and what they act on."""
    from metacascade.mechanisms.drugs import table
    print(table(), end="")


def parameters(names, markdown):
    """The parameters of the config, of some sections, or some alone; as in docs/parameters.md."""
    from metacascade.config import catalog
    print(catalog.parameters_markdown() if markdown else catalog.parameters_told(names), end="")


def versions():
    """The versions in use, and the commit."""
    from metacascade.base import versions as in_use
    from metacascade.io.provenance import commit
    told = {**in_use.versions(), "commit": commit() or "not known: built outside of git"}
    print("\n".join(f"{name:12}{value}" for name, value in told.items()))
