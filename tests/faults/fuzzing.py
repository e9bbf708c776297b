"""Seeded mutants of files. What ever failed is kept in `corpus/` and comes first."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

CORPUS = Path(__file__).parent / "corpus"
QUICK, MANY = 300, 10_000

amounts = pytest.mark.parametrize("amount", [QUICK, pytest.param(MANY, marks=pytest.mark.faults)])


def mutants(kind: str, originals: list[bytes], amount: int, seed: int = 0) -> Iterator[tuple[str, bytes]]:
    """Yield (name, contents): what `corpus/<kind>-*` holds, then `amount` mutants of the originals in turn."""
    for path in sorted(CORPUS.glob(f"{kind}-*")):
        yield path.name, path.read_bytes()
    for number in range(amount):
        rng = np.random.Generator(np.random.PCG64([seed, number]))
        yield f"{kind}-{seed}-{number}", mutant(originals[number % len(originals)], rng)


def mutant(data: bytes, rng: np.random.Generator) -> bytes:
    """Return `data` with bits flipped, bytes overwritten, or a piece zeroed, cut out, doubled or cut off."""
    changed = bytearray(data)
    start, length = int(rng.integers(len(data))), int(rng.integers(1, 65))
    match int(rng.integers(7)):
        case 0:
            for position in rng.integers(len(data), size=rng.integers(1, 4)):
                changed[position] ^= 1 << int(rng.integers(8))
        case 1:
            for position in rng.integers(len(data), size=rng.integers(1, 9)):
                changed[position] = int(rng.integers(256))
        case 2:
            changed[start : start + length] = bytes(len(changed[start : start + length]))
        case 3:
            del changed[start : start + length]
        case 4:
            changed[start:start] = changed[start : start + length]
        case 5:
            del changed[start:]
        case 6:  # the head of a file, where lengths and sizes stand
            changed[int(rng.integers(min(64, len(data))))] = int(rng.choice([0, 1, 127, 128, 254, 255]))
    return bytes(changed)


def keep(name: str, data: bytes) -> str:
    """Store what failed, to be replayed first from now on; return where."""
    CORPUS.mkdir(exist_ok=True)
    path = CORPUS / name
    path.write_bytes(data)
    return f"kept as {path}"
