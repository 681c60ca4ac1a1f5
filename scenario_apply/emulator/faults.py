"""Faults on request: by probability with a seed, or by rules for certain requests and a number of times.

before the request is carried out: drop-before, 500, 502, 503, and the three kinds of 429
after it was carried out:          drop-answer, 500-after, 502-after, html, truncate, hang; slow delays the answer
"""

from __future__ import annotations

import fnmatch
import random
from collections.abc import Mapping
from dataclasses import dataclass

BEFORE = frozenset({"drop-before", "500", "502", "503", "429", "429-ceiling", "429-cooldown"})


@dataclass(slots=True, kw_only=True)
class Rule:
    """Apply `kind` to matching requests: `skip` of them pass first, then `times` are hit (0: all)."""

    kind: str
    method: str = "*"
    path: str = "*"
    """A glob on the path after /v1, such as /models/*/train. Parts of uploads: /parts/*; weights: /cdn/exports/*."""
    skip: int = 0
    times: int = 1

    def matches(self, method: str, path: str) -> bool:
        """Whether the rule applies to this request."""
        return self.method in ("*", method) and fnmatch.fnmatchcase(path, self.path)


class Faults:
    """Decides which fault hits a request: rules first, then chance."""

    def __init__(self, chances: Mapping[str, float], seed: int, slow_s: float) -> None:
        self.slow_s = slow_s
        self.set_chances(chances, seed)
        self.rules: list[Rule] = []

    def set_chances(self, chances: Mapping[str, float], seed: int) -> None:
        """Set the probabilities, and restart the random sequence."""
        self.chances = {kind: chance for kind, chance in chances.items() if chance > 0}
        self.seed = seed
        self._dice = random.Random(seed)  # noqa: S311 -- repeatable faults, not secrets

    def draw(self, method: str, path: str) -> str | None:
        """The fault for this request, or None."""
        for rule in self.rules:
            if not rule.matches(method, path):
                continue
            if rule.skip:
                rule.skip -= 1
                continue
            if rule.times:
                rule.times -= 1
                if not rule.times:
                    self.rules.remove(rule)
            return rule.kind
        if not self.chances:
            return None
        point = self._dice.random()
        for kind, chance in self.chances.items():
            if point < chance:
                return kind
            point -= chance
        return None
