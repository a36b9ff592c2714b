"""The plan of a sweep: its members, each with its settings and seed, written down before the first one starts."""
import hashlib
import itertools
import json
import random
from pathlib import Path

from metacascade.base.errors import InputError
from metacascade.base.numerals import is_count
from metacascade.base.screen import one_line, shown, warn
from metacascade.config import config, read as config_read
from metacascade.config.given import LARGEST
from metacascade.config.write import inline
from metacascade.io import atomic, checkpoint, results
from metacascade.run import inputs
from metacascade.studies import sweep_file

NAME, CONFIG, FORMAT = "members.json", "config.toml", 1
MOST = 100_000          # members
SHOWN = 10              # problems or differences
MOST_SHOWN = 60         # characters of a value that differs
AGAIN = 'the same run again, by all values and run.seed; seeds = "independent" gives each member a seed of its own'


def opened(directory, sweep_path):
    """The plan in a directory, if it is that of the sweep file; a new one where there is none yet. Writes nothing.

    One of treatment arms has besides: `arms`, their names, by point; `compare`, `title`; and `start` if they go on from
    a checkpoint; the settings of their members name what they like.

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
    sweep = sweep_file.read(sweep_path)
    return stored(directory, sweep, "sweep") or _new(sweep)


def stored(directory, study, word):
    """The plan in a directory, None if there is none yet; refused where it is of another `word` than this study."""
    path = Path(directory) / NAME
    if path.exists():
        found = _stored(path)
        if differences := [*_differences(found, study, word)]:
            raise InputError(f"{directory} is of another {word}; choose another --out, or undo what differs:\n"
                             + "\n".join(some(differences)))
        return found
    _refuse_other_files(Path(directory))
    return None


def kept(directory):
    """The plan in a directory that is of a sweep. Raises InputError where it is damaged."""
    return _stored(Path(directory) / NAME)


def write(directory, plan):
    """Keep a new plan, and the config that its members start from, in the directory of the sweep."""
    directory = Path(directory)
    make(directory)
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
        return ["branch", str(Path(directory) / plan["start"]["file"])]
    return ["run", str(Path(directory) / CONFIG)]


def arguments(plan, member):
    """The settings of a member as ``section.key=value``; TOML reads each value back as it was."""
    settings = plan["fixed"] | member["settings"] | {"run.seed": member["seed"]}
    return [f"{name}={inline(value)}" for name, value in settings.items()]


def described(member):
    """A member in words."""
    if "arm" in member:
        return f"{one_line(member['arm'])}, replicate {member['replicate']}, seed {member['seed']}"
    return ", ".join([f"{name} = {one_line(value) if isinstance(value, str) else shown(value)}"
                      for name, value in member["settings"].items() if name != "run.seed"] + [f"seed {member['seed']}"])


# --- a new plan -----------------------------------------------------------------------------------------------

def _new(sweep):
    found = points(sweep)
    if len(found) * sweep.options.replicates > MOST:
        raise InputError(f"the sweep would have more than {MOST:,} members")
    plan = dict(format=FORMAT, sweep=sweep.tables, config=sweep.base.text, fixed=sweep.fixed,
                units={varied.name: varied.unit for varied in sweep.varied}, members=[*_members(sweep, found)])
    _check(sweep, plan)
    return plan


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
    own = _own_seed(sweep)
    for number, (point, replicate) in enumerate(itertools.product(range(len(found)), range(sweep.options.replicates))):
        index = replicate if sweep.options.seeds == "common" else number
        seed = found[point].get("run.seed", derived(own, index))
        yield dict(number=number, point=point, replicate=replicate, seed=seed, settings=found[point])


def derived(seed, index):
    """The index-th seed that follows from one; 0 is itself. Below 2^53, which every reader of tables keeps exactly."""
    word = hashlib.sha256(f"metacascade sweep {seed} {index}".encode()).digest()[:8]
    return seed if index == 0 else int.from_bytes(word) >> 11


def _own_seed(sweep):
    """run.seed of the config, with the settings for all members."""
    own = sweep.base.tables.get("run", {})
    return sweep.fixed.get("run.seed", own.get("seed", 1) if isinstance(own, dict) else 1)


def _check(sweep, plan):
    """Build the config of every point: one InputError for all that is wrong, and a warning of what is unusual."""
    wrong, unusual, seen = {}, {}, set()
    read_file = inputs.reading_once()
    first = [member for member in plan["members"] if member["replicate"] == 0]
    again = unusual if sweep.options.design in sweep_file.SAMPLED else wrong     # draws may be equal by chance
    for member in first:
        number = f"{member['number']:04}"
        document = config_read.parse_text(sweep.base.text, sweep.base.name, sweep.base.folder)
        try:
            config_read.override(document, arguments(plan, member))
            built = config.build(document)
            given = inputs.of(built, read_file)
        except InputError as error:
            for line in str(error).splitlines():
                wrong.setdefault(line.replace("--set: ", "").replace("--set ", ""), []).append(number)
            continue
        for line in given.warnings:
            unusual.setdefault(line, []).append(number)
        key = hashlib.sha256(json.dumps(built.to_dict()).encode()).digest()
        if key in seen:
            again.setdefault(AGAIN, []).append(number)
        seen.add(key)
    if wrong:
        raise InputError("\n".join(_about(wrong, len(first))))
    for line in _about(unusual, len(first)):
        warn(line)


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


# --- the plan that is there -----------------------------------------------------------------------------------

def _refuse_other_files(directory):
    if not directory.is_dir():
        return
    of_a_run = (results.NAME, checkpoint.NAME, checkpoint.FORMER)
    others = [path.name for path in directory.iterdir()
              if path.name in of_a_run or is_count(path.name) and len(path.name) >= 4]
    if others:
        raise InputError(f"{directory} holds {sorted(others)[0]} and no {NAME}: it is not the directory of a sweep; "
                         "choose another --out")


def _stored(path):
    text = _bytes(path)
    try:
        plan = json.loads(text)
        found = plan["format"]
        whole = found != FORMAT or _is_whole(plan)
    except (ValueError, LookupError, TypeError, RecursionError):
        whole = False
    if not whole:
        raise InputError(f"{path} is damaged: bring back a copy of it, or choose another --out")
    if found != FORMAT:
        raise InputError(f"{path} has format {found}; this version of metacascade reads format {FORMAT}: choose "
                         "another --out, or go on with the version that began the sweep, which its results name")
    return plan


def _is_whole(plan):
    """Has a plan all that is looked up in it?"""
    kinds = dict(sweep=dict, config=str, fixed=dict, units=dict, members=list)
    of_member = dict(number=int, point=int, replicate=int, seed=int, settings=dict)
    return all(isinstance(plan[key], kind) for key, kind in kinds.items()) and all(
        isinstance(member[key], kind) for member in plan["members"] for key, kind in of_member.items()) and (
        _is_of_arms(plan) if "arms" in plan else all(
            member["settings"].keys() == plan["units"].keys() for member in plan["members"]))


def _is_of_arms(plan):
    """The same of what only a plan of arms has."""
    start, compare, arms = plan["start"], plan["compare"], plan["arms"]
    return (isinstance(plan["title"], str) and all(isinstance(name, str) for name in arms) and len(arms) > 0
            and isinstance(compare["columns"], dict) and 0 <= compare["against"] < len(arms)
            and (start is None or isinstance(start["file"], str) and isinstance(start["path"], str)
                 and isinstance(start["time_s"], int))
            and all(member["arm"] == arms[member["point"]] for member in plan["members"]))


def _differences(stored, sweep, word):
    """What another sweep file, or another config, says otherwise than those that the plan was made from."""
    former = config_read.parse_text(stored["config"], CONFIG).tables
    for where, there, here in ((word, stored["sweep"], sweep.tables), ("config", former, sweep.base.tables)):
        there, here = dict(_flat(there)), dict(_flat(here))
        for name in sorted(there.keys() | here.keys()):
            if there.get(name) != here.get(name):
                now, then = (one_line(found.get(name, "(nothing)"), MOST_SHOWN) for found in (here, there))
                yield f"{where}: {name} = {now}, there it is {then}"


def _flat(value, name=""):
    """Name and whole text of every value in nested tables and lists of them."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _flat(inner, f"{name}.{key}" if name else key)
    elif isinstance(value, list) and value and all(isinstance(one, dict) for one in value):
        for i, inner in enumerate(value):
            yield from _flat(inner, f"{name}[{i}]")
    else:
        yield name, shown(value, LARGEST)
