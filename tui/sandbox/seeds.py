"""Chance that can be repeated: one generator per thing that is drawn, from the seed and the thing's name."""

from __future__ import annotations

import random


def rng(*parts: object) -> random.Random:
    """A generator that is a function of its parts alone."""
    return random.Random(" ".join(map(str, parts)))  # noqa: S311 - nothing secret is drawn from it
