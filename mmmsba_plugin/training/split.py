"""Decides who is learned from and who is held out; nobody is both."""

from collections.abc import Sequence

from mmmsba_plugin.datasets.record import Record
from mmmsba_plugin.datasets.splits import ranked, split_word
from mmmsba_plugin.errors import TrainingError

#: Share of the identities that is held out where a corpus has no validation split.
_HELD_OUT = 0.2


def split_records(records: Sequence[Record], *, seed: int = 0) -> tuple[list[Record], list[Record]]:
    """Return the records to learn from and those to validate on.

    Args:
        records: All of a corpus. A split named ``test`` is left out.
        seed: Decides which identities are held out where the corpus does not say.

    Raises:
        TrainingError: An identity stands in both splits.
    """
    train = [record for record in records if split_word(record.split or "train") == "train"]
    validation = [record for record in records if split_word(record.split or "train") == "dev"]
    if validation:
        both = {_who(record) for record in train} & {_who(record) for record in validation}
        if both:
            raise TrainingError(
                f"{min(both)!r} is in the train and the validation split; a detector "
                "would be praised for knowing a face. Split by identity"
            )
        return train, validation
    order = ranked(map(_who, train), seed=seed)
    held_out = set(order[: max(1, round(_HELD_OUT * len(order)))])
    return (
        [record for record in train if _who(record) not in held_out],
        [record for record in train if _who(record) in held_out],
    )


def _who(record: Record) -> str:
    return record.identity or record.original or record.key or str(record.media)
