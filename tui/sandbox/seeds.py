"""Reproducible random numbers: one generator per purpose, from the seed and the name of the purpose."""

from __future__ import annotations

import random


def rng(*parts: object) -> random.Random:
    """A generator that depends on its parts alone."""
    return random.Random(" ".join(map(str, parts)))  # noqa: S311 - nothing secret is drawn from it
