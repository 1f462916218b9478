"""Makes miniature datasets whose truth stands in a CSV, in the layouts they really come in."""

import csv
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

#: Its first line as v1.2 has it: nine names, and a comma behind the last.
FAKEAVCELEB_HEADER = "source,target1,target2,method,category,type,race,gender,path,"

MakeClip = Callable[[Path], object]


class Variant(NamedTuple):
    """One way in which a video of FakeAVCeleb is made."""

    method: str
    category: str
    type: str
    suffix: str


#: What is made of each person's one real video here.
VARIANTS = (
    Variant("real", "A", "RealVideo-RealAudio", ""),
    Variant("rtvc", "B", "RealVideo-FakeAudio", "_fake"),
    Variant("faceswap", "C", "FakeVideo-RealAudio", "_id00999"),
    Variant("wav2lip", "C", "FakeVideo-RealAudio", "_wavtolip"),
    Variant("fsgan-wav2lip", "D", "FakeVideo-FakeAudio", "_id00999_wavtolip"),
)


def fakeavceleb_row(identity: int, variant: Variant, *, race: str = "African") -> list[str]:
    """Return a row of the table, as v1.2 writes it."""
    identity_key = f"id{identity:05}"
    folder = f"FakeAVCeleb/{variant.type}/{race}/men/{identity_key}"
    target = "-" if variant.category in "AB" else "id00999"
    name = f"{identity:05}{variant.suffix}.mp4"
    fields = [identity_key, target, "-", variant.method, variant.category, variant.type]
    return [*fields, race, "men", name, folder]


def fakeavceleb(
    folder: Path,
    *,
    num_identities: int = 5,
    variants: Sequence[Variant] = VARIANTS,
    race: str = "African",
    race_on_disk: str | None = None,
    make_clip: MakeClip = Path.touch,
) -> Path:
    """Write FakeAVCeleb with a few identities, and return the folder of its table.

    Args:
        folder: Will hold ``FakeAVCeleb_v1.2``.
        num_identities: Each has one real video and some fakes.
        variants: Which.
        race: How the table spells the folder of that level.
        race_on_disk: How the disk does; as the table if not given.
        make_clip: Writes a clip to a path.
    """
    root = folder / "FakeAVCeleb_v1.2"
    rows = [
        fakeavceleb_row(identity, variant, race=race)
        for variant in variants
        for identity in range(1, num_identities + 1)
    ]
    for row in rows:
        *_, name, inside = row
        clip = root / inside.removeprefix("FakeAVCeleb/").replace(race, race_on_disk or race) / name
        clip.parent.mkdir(parents=True, exist_ok=True)
        make_clip(clip)
    write_fakeavceleb_table(root, rows)
    return root


def write_fakeavceleb_table(root: Path, rows: Iterable[Sequence[str]]) -> Path:
    """Write ``meta_data.csv`` and return its path."""
    lines = [FAKEAVCELEB_HEADER, *(",".join(row) for row in rows)]
    path = root / "meta_data.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def clip_table(
    folder: Path,
    rows: Sequence[Mapping[str, object]],
    *,
    name: str = "clips.csv",
    make_clip: MakeClip | None = Path.touch,
) -> Path:
    """Write a CSV of clips of one's own, with the columns of the first row, and return its path.

    Args:
        folder: Where it goes, with its clips.
        rows: What each row says.
        name: Of the CSV.
        make_clip: Writes a clip to a path; no clips are written if None.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    for clip in {folder / str(row["path"]) for row in rows if row["path"] and make_clip}:
        clip.parent.mkdir(parents=True, exist_ok=True)
        make_clip(clip)
    return path


def label_folders(folder: Path, *names: str, make_clip: MakeClip = Path.touch) -> Path:
    """Write clips called so, such as ``train/real/a.mp4``, and return their folder."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        make_clip(folder / name)
    return folder
