"""Files with random bytes changed."""

import numpy as np

#: Most bytes changed in a file.
MAX_CHANGES = 100
#: Where headers lie.
HEADER_BYTES = 2000


def mutate(data: bytes, rng: np.random.Generator) -> bytes:
    """Return the bytes with some changed, and the end cut off now and then."""
    mutant = bytearray(data)
    for _ in range(rng.choice([1, 3, 10, MAX_CHANGES])):
        within = len(mutant) if rng.random() < 0.5 else min(len(mutant), HEADER_BYTES)
        mutant[rng.integers(within)] = rng.integers(256)
    if rng.random() < 0.2:
        del mutant[rng.integers(1, len(mutant)) :]
    return bytes(mutant)
