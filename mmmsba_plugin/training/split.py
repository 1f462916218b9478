"""Splits records by identity into those to learn from and those that are held out."""

from collections.abc import Sequence

from mmmsba_plugin.datasets.splits import ranked, split_records, split_word
from mmmsba_plugin.record import Record

_FEWEST_FOLDS = 2


def folds(
    records: Sequence[Record], *, members: int, num_folds: int | None = None, seed: int = 0
) -> list[tuple[list[Record], list[Record]]]:
    """Return for each member of an ensemble the records to learn from and to validate on.

    Each identity is held out by one member, or by more than one where identities do not suffice
    for as many shares with real and fake records each. A single network, all members where the
    dataset has a validation split, and all where no two such shares can be made, have the
    records as :func:`~mmmsba_plugin.datasets.splits.split_records` says.

    Args:
        records: All of a dataset. A split named ``test`` is left out.
        members: Number of networks.
        num_folds: Number of shares at most; as many as members if not given. With fewer, several
            members hold out the same share.
        seed: Decides who holds out whom.

    Raises:
        TrainingError: An identity stands in both splits.
    """
    train, validation = split_records(records, seed=seed)
    all_records = [*train, *validation]
    order = ranked((record.identity_key for record in all_records), seed=seed)
    is_given = any(split_word(record.split or "train") == "dev" for record in all_records)
    most = 0 if is_given else min(members, num_folds or members, len(order))
    for dealt in range(most, _FEWEST_FOLDS - 1, -1):
        place = {identity: index % dealt for index, identity in enumerate(order)}
        shares = [
            (
                [record for record in all_records if place[record.identity_key] != fold],
                [record for record in all_records if place[record.identity_key] == fold],
            )
            for fold in range(dealt)
        ]
        if all({r.fake for r in side} == {True, False} for share in shares for side in share):
            return [shares[member % dealt] for member in range(members)]
    return [(train, validation)] * members
