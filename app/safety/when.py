"""When a rule holds: signs joined as `fever + neck_stiff/light_hurts - vaccinated`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Condition:
    """One alternative of a rule."""

    needs: tuple[frozenset[str], ...]
    """One sign of each set."""
    excludes: frozenset[str]

    def possible(self, signs: frozenset[str]) -> bool:
        """Whether these signs could fulfil it; quick, and nearly always False."""
        return not any(map(signs.isdisjoint, self.needs))

    def met(self, turns: Sequence[frozenset[str]], over_turns: bool) -> frozenset[str] | None:
        """The signs that fulfil it, or None.

        An exclusion counts in the turns that the signs come from, not in others: what eases a
        sign is said beside it.
        """
        if not over_turns:
            return next((met for turn in turns if (met := self.met([turn], True))), None)
        together = frozenset[str]().union(*turns)
        if not all(need & together for need in self.needs):
            return None
        used = frozenset[str]().union(*(need & together for need in self.needs))
        bearing = [turn for turn in turns if turn & used and not turn & self.excludes]
        left = frozenset[str]().union(*bearing)
        return used & left if all(need & left for need in self.needs) else None


def parse_condition(written: str, names: frozenset[str]) -> Condition:
    """Raises ValueError where a name is unknown or nothing is asked for."""
    wanted, _, unwanted = written.partition(" - ")
    needs = tuple(frozenset(part.strip().split("/")) for part in wanted.split("+"))
    excludes = frozenset(unwanted.strip().split("/")) - {""}
    for name in sorted(frozenset[str]().union(*needs) | excludes):
        if name not in names:
            raise ValueError(f"“{written}” names the sign “{name}”, which is not there")
    return Condition(needs, excludes)
