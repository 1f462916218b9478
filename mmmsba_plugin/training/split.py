"""Decides who is learned from and who is held out; nobody is both."""

from collections.abc import Mapping, Sequence

from mmmsba_plugin.datasets.splits import ranked, split_word
from mmmsba_plugin.errors import TrainingError
from mmmsba_plugin.record import Record

#: Share of the identities that is held out where a dataset has no validation split.
_HELD_OUT = 0.2
_FEWEST_FOLDS = 2


def split_records(records: Sequence[Record], *, seed: int = 0) -> tuple[list[Record], list[Record]]:
    """Return the records to learn from and those to validate on.

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
    held_out = set(order[: max(1, round(_HELD_OUT * len(order)))])
    return (
        [record for record in train if record.identity_key not in held_out],
        [record for record in train if record.identity_key in held_out],
    )


def folds(
    records: Sequence[Record], *, members: int, seed: int = 0
) -> list[tuple[list[Record], list[Record]]]:
    """Return for each member of an ensemble the records to learn from and to validate on.

    Each person is held out by one member, or by more than one where people do not suffice for
    as many shares with real and fake records each. A single network, all members where the
    dataset has a validation split, and all where no two such shares can be made, have the
    records as :func:`split_records` says.

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
