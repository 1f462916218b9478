"""Deals people to splits, so that nobody is in two.

People are dealt in the order of a hash of seed and name: the same on every machine, and
whatever order a disk or a table has them in.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence

from mmmsba_plugin.errors import TrainingError
from mmmsba_plugin.record import Record

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
#: Share of the identities that is held out where a dataset has no validation split.
_HELD_OUT = 0.2


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


def split_records(records: Sequence[Record], *, seed: int = 0) -> tuple[list[Record], list[Record]]:
    """Return the records to learn from and those to validate on.

    Without a validation split, a fifth of the identities is held out, or as many more as there
    must be for real and fake records to validate on.

    Args:
        records: All of a dataset. A split named ``test`` is left out.
        seed: Decides which identities are held out where the dataset does not say.

    Raises:
        TrainingError: An identity stands in both splits.
    """
    train = [record for record in records if split_word(record.split or "train") == "train"]
    validation = [record for record in records if split_word(record.split or "train") == "dev"]
    if validation:
        both = {r.identity_key for r in train} & {r.identity_key for r in validation}
        if both:
            raise TrainingError(
                f"{min(both)!r} is in the train and the validation split; a detector "
                "would be praised for knowing a face. Split by identity"
            )
        return train, validation
    order = ranked((record.identity_key for record in train), seed=seed)
    held_out = set(order[: _num_held_out(order, train)])
    return (
        [record for record in train if record.identity_key not in held_out],
        [record for record in train if record.identity_key in held_out],
    )


def _num_held_out(order: Sequence[str], records: Iterable[Record]) -> int:
    """Return the number of identities to hold out, the first ones in an order.

    More than the usual share only where real and fake records are left to learn from as well.
    """
    labels: dict[str, set[bool]] = {}
    for record in records:
        labels.setdefault(record.identity_key, set()).add(record.fake)
    share = max(1, round(_HELD_OUT * len(order)))
    needed = max(share, _num_until_both(order, labels))
    rest = order[needed:]
    return needed if _num_until_both(rest, labels) <= len(rest) else share


def _num_until_both(order: Sequence[str], labels: Mapping[str, set[bool]]) -> int:
    """Count identities until real and fake records are among theirs.

    One more than there are, where they never are.
    """
    kinds: set[bool] = set()
    for number, identity in enumerate(order, start=1):
        kinds |= labels[identity]
        if len(kinds) > 1:
            return number
    return len(order) + 1
