"""Decides who is learned from and who is held out; nobody is both."""

from collections.abc import Mapping, Sequence

from mmmsba_plugin.datasets.splits import ranked, split_records, split_word
from mmmsba_plugin.record import Record

_FEWEST_FOLDS = 2


def folds(
    records: Sequence[Record], *, members: int, seed: int = 0
) -> list[tuple[list[Record], list[Record]]]:
    """Return for each member of an ensemble the records to learn from and to validate on.

    Each person is held out by one member, or by more than one where people do not suffice for
    as many shares with real and fake records each. A single network, all members where the
    dataset has a validation split, and all where no two such shares can be made, have the
    records as :func:`~mmmsba_plugin.datasets.splits.split_records` says.

    Raises:
        TrainingError: An identity stands in both splits.
    """
    train, validation = split_records(records, seed=seed)
    everyone = [*train, *validation]
    order = ranked((record.identity_key for record in everyone), seed=seed)
    is_given = any(split_word(record.split or "train") == "dev" for record in everyone)
    most = 0 if is_given else min(members, len(order))
    for num_folds in range(most, _FEWEST_FOLDS - 1, -1):
        place = {identity: index % num_folds for index, identity in enumerate(order)}
        shares = [_share(everyone, place, fold) for fold in range(num_folds)]
        if all(_tell_both(side) for share in shares for side in share):
            return [shares[member % num_folds] for member in range(members)]
    return [(train, validation)] * members


def _share(
    records: Sequence[Record], place: Mapping[str, int], fold: int
) -> tuple[list[Record], list[Record]]:
    return (
        [record for record in records if place[record.identity_key] != fold],
        [record for record in records if place[record.identity_key] == fold],
    )


def _tell_both(records: Sequence[Record]) -> bool:
    return {record.fake for record in records} == {True, False}
