"""Deals people to splits, so that nobody is in two.

People are dealt in the order of a hash of seed and name: the same on every machine, and
whatever order a disk or a table has them in.
"""

import hashlib
from collections.abc import Iterable, Mapping

#: What splits are called elsewhere, and here.
_WORDS = {
    "training": "train",
    "val": "dev",
    "valid": "dev",
    "validation": "dev",
    "development": "dev",
    "testing": "test",
    "eval": "test",
}
SPLITS = ("train", "dev", "test")


def ranked(identities: Iterable[str], *, seed: int) -> list[str]:
    """Return people, each once, in an order that seed and names alone decide.

    Example:
        >>> ranked(["ann", "bob", "cid"], seed=0) == ranked(["cid", "ann", "bob"], seed=0)
        True
    """
    return sorted(
        set(identities),
        key=lambda identity: hashlib.sha256(f"{seed}:{identity}".encode()).hexdigest(),
    )


def deal(identities: Iterable[str], held_out: Mapping[str, float], *, seed: int) -> dict[str, str]:
    """Return the split of each person: one of ``held_out``, or ``train``.

    Args:
        identities: Who is to be dealt.
        held_out: The share of people that each split shall have, in (0, 1). None is left
            without anybody as long as somebody is left for ``train``.
        seed: Decides who goes where.

    Example:
        >>> sorted(deal("abcdefghij", {"dev": 0.1, "test": 0.2}, seed=0).values())
        ['dev', 'test', 'test', 'train', 'train', 'train', 'train', 'train', 'train', 'train']
    """
    order = ranked(identities, seed=seed)
    words = [
        word for word, share in held_out.items() for _ in range(max(1, round(share * len(order))))
    ]
    words = words[: max(0, len(order) - 1)]
    words += ["train"] * (len(order) - len(words))
    return dict(zip(order, words, strict=True))


def held_out_of(
    identities: Iterable[str], fold: int, *, num_folds: int, seed: int
) -> frozenset[str]:
    """Return the identities that are tested in a fold; over all folds, each is tested once.

    Example:
        >>> folds = [held_out_of("abcdefg", fold, num_folds=3, seed=0) for fold in range(3)]
        >>> [len(fold) for fold in folds], "".join(sorted(frozenset().union(*folds)))
        ([3, 2, 2], 'abcdefg')
    """
    return frozenset(ranked(identities, seed=seed)[fold::num_folds])


def split_word(split: str) -> str:
    """Return our word for a split; a dataset's own word if it is none that we know.

    Example:
        >>> split_word("Val"), split_word("test"), split_word("testA")
        ('dev', 'test', 'testA')
    """
    word = split.casefold()
    return _WORDS.get(word) or (word if word in SPLITS else split)
