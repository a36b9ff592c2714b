"""The plan of a sweep: its members, each with its settings and seed, written down before the first one starts."""
import hashlib
import itertools
import json
import random
from pathlib import Path

from metacascade.base.errors import InputError
from metacascade.base.names import nearest
from metacascade.base.numerals import is_count
from metacascade.base.screen import one_line, shown, warn
from metacascade.config import config, read as config_read
from metacascade.config.read import Problem
from metacascade.config.write import inline
from metacascade.io import atomic, checkpoint, manyruns, results
from metacascade.run import inputs
from metacascade.studies import sweep_compare, sweep_file, sweep_start, sweep_stored
from metacascade.studies.sweep_stored import CONFIG, FORMAT

NAME = manyruns.MEMBERS
MOST = 100_000          # members
SHOWN = 10              # problems or differences
AGAIN = 'the same run again, by all values and run.seed; seeds = "independent" gives each member a seed of its own'


def opened(directory, sweep_path):
    """The plan in a directory, if it is that of the sweep file; a new one where there is none yet. Writes nothing.

    `names` are those of the points where they are listed or a grid, and `compare` and `title` say how the comparison of
    them is made; `start` is the checkpoint that all go on from, or None. One of treatment arms has `arms`, their
    names, instead of `names`; the settings of its members name what they like.

    Returns
    -------
    dict
        `members`: a list of {number, point, replicate, seed, settings}; `fixed`: settings of all; `units`: parameter ->
        unit of the table, in the order of its columns; `config`, `sweep`: what it was made from.

    Raises
    ------
    InputError
        If anything is wrong in the sweep file or in a member, or the directory is that of another sweep.
    """
    sweep = sweep_file.read(sweep_path, Path(directory) / sweep_start.NAME)
    found = stored(directory, sweep, "sweep")
    if found is None:
        return _new(sweep)
    if found.get("told") == _given(sweep):
        return found
    return found | _told(sweep, found)


def stored(directory, study, word):
    """The plan in a directory, None if there is none yet; refused where it is of another `word` than this study."""
    path = Path(directory) / NAME
    if path.exists():
        found = sweep_stored.read(path)
        if differences := [*sweep_stored.differences(found, study, word)]:
            raise InputError(f"{directory} is of another {word}; choose another --out, or undo what differs:\n"
                             + "\n".join(some(differences)))
        return found
    _refuse_other_files(Path(directory))
    return None


def kept(directory):
    """The plan in a directory that is of a sweep. Raises InputError where it is damaged."""
    return sweep_stored.read(Path(directory) / NAME)


def write(directory, plan):
    """Keep a new plan, and the config that its members start from, in the directory of the sweep."""
    directory = Path(directory)
    make(directory)
    if plan.get("start"):
        sweep_start.keep(directory, sweep_start.find(plan["start"]["path"], directory / sweep_start.NAME))
    path, config_path = directory / NAME, directory / CONFIG
    if not path.exists() or not config_path.exists():
        atomic.write_shared(config_path, plan["config"])
    elif _bytes(config_path) != plan["config"].encode():
        raise InputError(f"{config_path} is not the config that the sweep began with: remove it, it is written anew")
    text = json.dumps(plan, indent=1)
    if not path.exists() or _bytes(path) != text.encode():      # arms may get more replicates
        atomic.write_shared(path, text)


def make(directory):
    """Make the directory of a sweep, if it is not there."""
    with atomic.writing(directory):
        Path(directory).mkdir(parents=True, exist_ok=True)


def _bytes(path):
    with atomic.reading(path):
        return path.read_bytes()


def folder(directory, member):
    """The run directory of a member."""
    return Path(directory) / f"{member['number']:04}"


def beginning(plan, directory):
    """The words of the command that begins a member, but for its settings."""
    if plan.get("start"):
        return ["branch", str(Path(directory) / plan["start"]["file"]), "--copy-of", plan["start"]["path"]]
    return ["run", str(Path(directory) / CONFIG)]


def arguments(plan, member):
    """The settings of a member as ``section.key=value``; TOML reads each value back as it was."""
    settings = plan["fixed"] | member["settings"] | {"run.seed": member["seed"]}
    return [f"{name}={inline(value)}" for name, value in settings.items()]


def described(member):
    """A member in words."""
    words = _words(member, _changes(member))
    return words + f", seed {member['seed']}" * (not words.startswith("seed "))


def in_short(member):
    """The same without its seed, unless that is all, and with parameters by the last word of their names."""
    return _words(member, _changes(member, lambda name: name.rpartition(".")[2]))


def _words(member, changes):
    if "arm" in member:
        return f"{one_line(member['arm'])}, replicate {member['replicate']}"
    name = [one_line(member["name"])] if "name" in member else []
    return ", ".join([*name, *filter(None, [changes])]) or f"seed {member['seed']}"


def _changes(member, called=str):
    """The settings of a member in words, but for its seed."""
    return ", ".join(f"{called(name)} = {one_line(value) if isinstance(value, str) else shown(value)}"
                     for name, value in member["settings"].items() if name != "run.seed")


# --- a new plan -----------------------------------------------------------------------------------------------

def _new(sweep):
    found = points(sweep)
    if len(found) * sweep.options.replicates > MOST:
        raise InputError(f"the sweep would have more than {MOST:,} members")
    plan = dict(format=FORMAT, sweep=sweep.tables, config=sweep.base.text, fixed=sweep.fixed,
                units={varied.name: varied.unit for varied in sweep.varied}, members=[*_members(sweep, found)],
                start=sweep_start.told(sweep.start))
    return plan | _told(sweep, plan)


def _given(sweep):
    """What may be another thing in the next call: the title, and what is compared."""
    return dict(title=sweep.options.title, compare=sweep.document.tables.get("compare", {}))


def _told(sweep, plan):
    """The same, checked and with what it comes to; so are all members."""
    built = _check(sweep, plan)
    told = dict(told=_given(sweep), title=sweep.options.title)
    if sweep.options.design in sweep_file.SAMPLED:
        if sweep.compare.against is not None:
            sweep.document.refuse([Problem(("compare", "against"), "is for a list or a grid: of a sampled design it is "
                                           "told which parameter matters most")])
        return told | dict(compare=sweep_compare.chosen(sweep.compare, ["all"], built, sweep.document))
    first = [member for member in plan["members"] if member["replicate"] == 0]
    same = "no change" if len(first) > 1 else "all"
    names = [member.get("name") or one_line(_changes(member) or same, sweep_compare.LONGEST_POINT) for member in first]
    if (wanted := sweep.compare.against) is not None and wanted not in names:
        sweep.document.refuse([Problem(("compare", "against"), f"is no point{nearest(wanted, names)}; points: "
                                       f"{', '.join(some(names))}")])
    return told | dict(names=names, compare=sweep_compare.chosen(sweep.compare, names, built, sweep.document))


def points(sweep):
    """The settings of each point of the design: a list of {parameter: value}."""
    options = sweep.options
    if options.design == "list":
        return list(sweep.points)
    names = [varied.name for varied in sweep.varied]
    if options.design == "grid":
        grid = itertools.product(*(varied.all() for varied in sweep.varied))
        return [dict(zip(names, values)) for values in itertools.islice(grid, MOST + 1)]
    shares = _random(options, names) if options.design == "random" else _by_salib(options, names)
    return [{varied.name: varied.at(share) for varied, share in zip(sweep.varied, row)} for row in shares]


def _random(options, names):
    generator = random.Random(options.seed)
    return [[generator.random() for _ in names] for _ in range(options.samples)]


def _by_salib(options, names):
    try:
        from SALib.sample import latin, sobol
    except ImportError:
        raise InputError(f'design = "{options.design}" needs SALib: pip install "metacascade[sweep]"') from None
    problem = {"num_vars": len(names), "names": names, "bounds": [[0, 1]] * len(names)}
    if options.design == "latin":
        return latin.sample(problem, options.samples, seed=options.seed).tolist()
    return sobol.sample(problem, options.samples, calc_second_order=options.second_order, seed=options.seed).tolist()


def _members(sweep, found):
    own, names = sweep.fixed.get("run.seed", sweep_start.own_seed(sweep.base, sweep.start)), sweep.names
    for number, (point, replicate) in enumerate(itertools.product(range(len(found)), range(sweep.options.replicates))):
        index = replicate if sweep.options.seeds == "common" else number
        seed = found[point].get("run.seed", derived(own, index))
        name = {"name": names[point]} if names and names[point] else {}
        yield dict(number=number, point=point, **name, replicate=replicate, seed=seed, settings=found[point])


def derived(seed, index):
    """The index-th seed that follows from one; 0 is itself. Below 2^53, which every reader of tables keeps exactly."""
    word = hashlib.sha256(f"metacascade sweep {seed} {index}".encode()).digest()[:8]
    return seed if index == 0 else int.from_bytes(word) >> 11


def _check(sweep, plan):
    """The config of every point: one InputError for all that is wrong, and a warning of what is unusual."""
    wrong, unusual, seen, found = {}, {}, set(), []
    read_file = inputs.reading_once()
    first = [member for member in plan["members"] if member["replicate"] == 0]
    again = unusual if sweep.options.design in sweep_file.SAMPLED else wrong     # draws may be equal by chance
    for member in first:
        number = f"{member['number']:04}"
        document = config_read.parse_text(sweep.base.text, sweep.base.name, sweep.base.folder)
        document.stored = sweep.start is not None
        try:
            config_read.override(document, arguments(plan, member))
            built = config.build(document)
            lines = sweep_start.looked_at(sweep.start, built, read_file)
        except InputError as error:
            for line in str(error).splitlines():
                wrong.setdefault(line.replace("--set: ", "").replace("--set ", ""), []).append(number)
            continue
        found.append(built)
        for line in lines:
            unusual.setdefault(line, []).append(number)
        key = hashlib.sha256(json.dumps(built.to_dict()).encode()).digest()
        if key in seen:
            again.setdefault(AGAIN, []).append(number)
        seen.add(key)
    if wrong:
        raise InputError("\n".join(_about(wrong, len(first))))
    for line in _about(unusual, len(first)):
        warn(line)
    return found


def _about(found, points):
    """Lines about members: which, and what; `found`: what -> numbers."""
    return some([f"{_who(numbers, points)}: {line}" for line, numbers in found.items()])


def _who(numbers, points):
    if len(numbers) == points > 1:
        return "every member"
    more = f" and {len(numbers) - 3} more" * (len(numbers) > 3)
    return f"member{'s' * (len(numbers) > 1)} {', '.join(numbers[:3])}{more}"


def some(lines):
    """The first lines, and how many there are besides."""
    return lines[:SHOWN] + [f"and {len(lines) - SHOWN} more"] * (len(lines) > SHOWN)


def _refuse_other_files(directory):
    if not directory.is_dir():
        return
    of_a_run = (results.NAME, checkpoint.NAME, checkpoint.FORMER)
    others = [path.name for path in directory.iterdir()
              if path.name in of_a_run or is_count(path.name) and len(path.name) >= 4]
    if others:
        raise InputError(f"{directory} holds {sorted(others)[0]} and no {NAME}: it is not the directory of a sweep; "
                         "choose another --out")
