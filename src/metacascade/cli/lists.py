"""What ``metacascade info`` lists: rates, columns, classes of drugs."""


def rates(file, markdown):
    """Every rate of a config, or of the default one; as in docs/model.md, of one with every mechanism."""
    from metacascade.config import known
    from metacascade.config.config import default, everything, load_with_text
    from metacascade.mechanisms import equations, plan_of
    if markdown:
        print(equations.markdown(plan_of(everything()), equations.optional(default(), everything())))
    else:
        loaded, text = (default(), "") if file is None else load_with_text(file)
        print(equations.report(plan_of(loaded), loaded, known.sources(loaded, text)))


def columns(file, markdown):
    """The columns of the time series and of the table by organ."""
    from metacascade.base import columns as declared_columns
    from metacascade.config.config import default, load
    from metacascade.mechanisms import plan_of
    from metacascade.model import observables
    plan = plan_of(default() if file is None else load(file))
    declared, by_node = observables.columns(plan), observables.by_node(plan)
    print(declared_columns.markdown(declared) + "\n" + declared_columns.markdown_by_node(by_node) if markdown else
          declared_columns.table(declared) + declared_columns.table_by_node(by_node), end="")


def drugs():
    """The classes of drugs, and what they act on."""
    from metacascade.mechanisms.drugs import table
    print(table(), end="")
