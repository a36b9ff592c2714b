"""Why a parameter of a mechanism does nothing in a config, and whether it needs a tumor: read off the plan.

A parameter acts through the texts of declarations that name it. It is idle where each of these is off, or is a factor
on a rate that is off or zero, or depends on a field that is off.
"""
import re
from dataclasses import fields as members

from metacascade.base.columns import Column
from metacascade.base.nodes import LYMPH_NODE
from metacascade.mechanisms import lumped, mechanisms_of
from metacascade.mechanisms.fields import FIELDS
from metacascade.mechanisms.plan import enabled, switch_of
from metacascade.mechanisms.terms import FACTORS, KEY, At, Gradient, Pair, Rate, Rise, Shape, Table, Trait

OF_A_FIELD = (Shape, Gradient, Rise)
IN_TUMOR = ("tissue", "lumped", "field", "vessel")        # compartments that are not there without a tumor
ADDED = {"blood.homing": ("blood.scar", "blood.cytokines")}     # to a rate at other nodes too, if they are on
TO_TUMOR = {"tumor", LYMPH_NODE}                # nodes to which nothing comes without one


def keys_of(made) -> set[str]:
    """The parameters that a declaration names."""
    texts = [getattr(getattr(made, member.name), "text", "") for member in members(made)]
    return set(KEY.findall(" ".join([*texts, "" if isinstance(made, Rate) else getattr(made, "text", "")])))


def _by_nodes_of_tumor(made, other) -> bool:
    """Is a declaration a factor of nodes to which nothing comes without a tumor, and `other` everywhere else?"""
    return isinstance(made, At) and made.other == other and dict(made.values).keys() <= TO_TUMOR


class Declared:
    """All that mechanisms declare, those that are off as well, and to whom it belongs."""

    def __init__(self, config):
        self.config = config
        no_tissue = lumped.enabled(config)       # then there is a tumor, but no tissue
        self.absent = tuple(one for one in IN_TUMOR if one != "lumped" or not no_tissue)
        self.no_nodes = not no_tissue
        self.all = [(mechanism, made) for mechanism in mechanisms_of(config) for made in mechanism.plan(config)]
        self.naming = {}                    # parameter: the declarations that name it
        for pair in self.all:
            for name in keys_of(pair[1]):
                self.naming.setdefault(name, []).append(pair)
        self.owners = {made.name: (mechanism, made) for mechanism, made in self.all if hasattr(made, "name")}

    def parameters_of(self, name: str) -> set[str]:
        """The parameters that make up a rate ("tissue.divide") or a coefficient of a field ("vegf.decay")."""
        if name in self.owners:
            return keys_of(self.owners[name][1])
        field, _, member = name.partition(".")
        return set(KEY.findall(getattr(self.owners[field][1], member).text))

    def why_zero(self, name: str) -> str:
        """The switch that is off, or the parameter that is 0, for which a rate or a coefficient is zero; "" if it is
        none of one of these."""
        mechanism, _ = self.owners.get(name) or self.owners[name.partition(".")[0]]
        held = {".".join(map(str, path)): number for path, _, number in self.config.values()}
        zero = [f"{key} = 0" for key in sorted(self.parameters_of(name)) if held.get(key) == 0]
        return self._off(mechanism) or "".join(zero[:1])

    def why_idle(self, name: str) -> str:
        """Why the parameter `name` ("growth.oxygen_half", "organs.lung.nk") does nothing; nothing if it acts, or if no
        mechanism names it."""
        if name.startswith("traits."):      # the first cells have them, whatever mechanisms are on
            return ""
        if name.endswith(".enabled"):
            return self._why_table(name.removesuffix(".enabled"))
        name = re.sub(r"^organs\.\w+\.", "organs.BED.", name)
        reasons = [self._why(made, mechanism, name) for mechanism, made in self.naming.get(name, ())]
        return reasons[0] if reasons and all(reasons) else ""

    def acts_in_tumor(self, name: str) -> bool:
        """Does a parameter of a mechanism act in the tumor and nowhere else? One that no declaration names does if all
        do that its table brings."""
        table = name.partition(".")[0]
        named = self.naming.get(name) or [pair for pair in self.all if pair[0].TABLE == table]
        return bool(named) and all(self._in_tumor(made, name) for _, made in named)

    def _in_tumor(self, made, name="") -> bool:
        """Does a declaration that names a parameter act on cells of the tumor, its fields and vessels alone?"""
        if isinstance(made, Trait) and name in KEY.findall(made.founder.text):
            return all(self._in_tumor(one) for _, one in self.all if isinstance(one, Table) and one.by == made.name)
        if isinstance(made, (Trait, Column, *FIELDS)):      # of a trait what mutates: cells do in tissue alone
            return True
        if _by_nodes_of_tumor(made, other=1.0):
            return self.no_nodes
        rate = self.owners[made.rate][1] if isinstance(made, FACTORS) else made
        return isinstance(rate, Rate) and (rate.compartment in self.absent or (
            self.no_nodes and self._zero_elsewhere(rate.name)))

    def _zero_elsewhere(self, rate):
        """Is a rate zero but where nothing comes without a tumor?"""
        added = (self.owners[name] for name in ADDED.get(rate, ()))
        return any(_by_nodes_of_tumor(made, other=0.0) and made.rate == rate and enabled(self.config, mechanism)
                   for mechanism, made in self.all) and not any(
                       made.base.number and enabled(self.config, mechanism) for mechanism, made in added)

    def _why_table(self, table) -> str:
        """Why nothing does anything that a table switches on; nothing if some of it acts, or if it is off."""
        made = [self._why(made, mechanism, "") for mechanism, made in self.all if mechanism.TABLE == table]
        return made[0] if made and all(made) and getattr(self.config, table).enabled else ""

    def _why(self, made, mechanism, name) -> str:
        """Why a declaration that names the parameter `name` does nothing; nothing if it acts."""
        if isinstance(made, FACTORS):
            none = self._none_has(made) if isinstance(made, Table) and made.values[0] == 1.0 else ""
            return self._off(mechanism) or self._absent(made) or none or self._why_rate(made.rate, name)
        if isinstance(made, Trait) and name in KEY.findall(made.correlation.text):
            return self._off(mechanism) or self._alone(made)
        if isinstance(made, Trait):
            by_it = [one for _, one in self.all if isinstance(one, (Table, Pair)) and one.by == made.name]
            without = bool(by_it) and all(self._why(one, self.owners[one.rate][0], "") for one in by_it)
            return self._off(mechanism) or (self._none_has(by_it[0]) if without else "")
        return self._off(mechanism) or (self._why_rate(made.name, name) if isinstance(made, Rate) else "")

    def _none_has(self, table):
        """Why the trait of a factor is 0 in all cells; nothing if some have it, or if it is a state of the cell."""
        _, by = self.owners.get(table.by, (None, None))
        if not isinstance(by, Trait) or by.founder.number or by.mutation.number:
            return ""
        return f"no cell has it: {by.founder.text} = 0 and {by.mutation.text} = 0"

    def _alone(self, trait):
        """Why a trait does not change together with its partner: one of the two is off, or never changes."""
        mechanism, partner = self.owners[trait.partner]
        never = [f"{held.text} = 0" for held in (partner.mutation, partner.step, trait.mutation, trait.step)
                 if held.number == 0.0]
        return self._off(mechanism) or "".join(never[:1])

    def _why_rate(self, rate, name):
        """Why a rate is zero whatever `name` is."""
        mechanism, rate = self.owners[rate]
        acting = [made for other, made in self.all if isinstance(made, OF_A_FIELD) and made.rate == rate.name
                  and enabled(self.config, other)]
        stopped = [self._absent(made) for made in acting if self._absent(made) and self._stops(made)]
        stopped += [self._none_has(made) for _, made in self.all if isinstance(made, Table) and made.rate == rate.name
                    and made.values[0] == 0.0 and self._none_has(made)]
        keys = keys_of(rate)
        zero = f"{[*keys][0]} = 0" if rate.base.number == 0.0 and len(keys) == 1 and name not in keys else ""
        return self._off(mechanism) or self._off_field(rate) or "".join(stopped[:1]) or zero

    def _off_field(self, rate):
        """Why the field of which a rate is a term is off."""
        return self._off(self.owners[rate.field][0]) if rate.field else ""

    def _stops(self, made):
        """Is a factor 0 where its field does not exist?"""
        return isinstance(made, (Gradient, Rise)) or made.at(self.owners[made.signal][1].absent) == 0.0

    def _absent(self, made):
        """Why the field of a factor is off; nothing if it is on, or if the factor depends on none."""
        on_field = isinstance(made, OF_A_FIELD) and made.signal in self.owners
        return self._off(self.owners[made.signal][0]) if on_field else ""

    def _off(self, mechanism):
        return "" if enabled(self.config, mechanism) else f"{switch_of(mechanism)} = false"
