"""How far each kind of evidence is trusted, and what covering an aspect is worth: all numbers of a generation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Knobs:
    """Shares are from 0 to 1. The values follow from how often each kind of evidence came true in 2025 (ADR 17)."""

    #: Of how often all past changes exercise an aspect.
    prior: float = 0.8
    #: Past changes of the same code that are looked at, and how far they are trusted.
    past_n: int = 60
    past: float = 1.0
    #: Their likeness counts to this power; this much likeness more is taken to say nothing.
    past_power: float = 2
    past_floor: float = 0.05
    #: Nearest scripts that are looked at, the power of their nearness, and how far they are trusted.
    scripts_n: int = 10
    scripts_power: float = 1
    scripts: float = 0.2
    #: What many statements in unit tests of the change say.
    quoted: float = 0.6
    #: What SQL reaches by a changed function, less with each call between; more functions than this share it.
    target: float = 0.9
    hop: float = 0.4
    crowd: float = 12
    #: An ``explain analyze``, when all of the change executes plans.
    executed: float = 0.35
    #: Words of the title, types that it names, words of many changed lines.
    titled: float = 0.4
    titled_type: float = 0.6
    said: float = 0.03
    #: Arguments of a likely function: as cases call it, or by guess.
    known: float = 0.6
    tried: float = 0.8
    #: Worth is likelihood to this power times rarity …
    sharp: float = 1.1
    #: … times these: a word without a name of its own, an aspect of fewer than one in a hundred changes.
    word: float = 0.2
    special: float = 3.0
    #: Worth of a column of a likely type, and of a function over columns of its own types.
    over: float = 2.0
    called_over: float = 0.25
    #: What a statement of the tree, and a variant of one, counts beside one of the kit.
    tree: float = 0.4
    varied: float = 0.8
    #: How likely a dimension must be for queries to be varied in it.
    varied_least: float = 0.3
    #: Worth below which nothing is written: of a statement, of one among its set-up and clean-up, of an expression.
    least_statement: float = 0.2
    least_rate: float = 0.02
    least_expression: float = 0.06


KNOBS: Final = Knobs()
