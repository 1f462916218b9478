"""Makes miniature datasets, each in the layout of the real one to the last folder.

An entry is what the dataset's metadata say of one clip; ``changes`` replace keys of it. Clips
are real files, but all the same one: readers do not look into them.
"""

import json
import shutil
from pathlib import Path

from .clips import clip

#: How long every clip lasts, in frames at 25 Hz.
NUM_FRAMES = 30

#: The four variants of a clip of AV-Deepfake1M, by ``modify_type``.
VARIANTS = {
    "real": "real.mp4",
    "visual_modified": "fake_video_real_audio.mp4",
    "audio_modified": "real_video_fake_audio.mp4",
    "both_modified": "fake_video_fake_audio.mp4",
}

_PERIOD = [0.48, 0.86]


def lavdf_entry(**changes):
    """An entry as LAV-DF itself writes it: no identity, no kind, no separate spans."""
    entry = {
        "file": "test/000001.mp4",
        "n_fakes": 1,
        "fake_periods": [_PERIOD],
        "duration": 1.328,
        "original": "test/000000.mp4",
        "modify_video": True,
        "modify_audio": False,
        "split": "test",
        "video_frames": NUM_FRAMES,
        "audio_channels": 1,
        "audio_frames": 19_200,
    }
    return entry | changes


def lavdf(folder):
    """LAV-DF: a real clip and one of each manipulation in each split, and both metadata files."""
    entries = []
    for split in ("train", "dev", "test"):
        for index, (video, audio) in enumerate([(0, 0), (1, 0), (0, 1), (1, 1)]):
            periods = [_PERIOD] if video or audio else []
            entry = lavdf_entry(
                file=f"{split}/{index:06d}.mp4",
                split=split,
                n_fakes=len(periods),
                fake_periods=periods,
                modify_video=bool(video),
                modify_audio=bool(audio),
                original=f"{split}/000000.mp4" if periods else None,
            )
            entries.append(entry)
            put_clip(folder / entry["file"])
    put_json(folder / "metadata.min.json", entries)
    spoken = {"transcript": "hi", "timestamps": [["hi", 0.1, 0.4]]}
    put_json(folder / "metadata.json", [entry | spoken for entry in entries])
    (folder / "README.md").write_text("# LAV-DF\n")
    return folder


def av1m_entry(kind="both_modified", identity="id00012", **changes):
    """An entry of AV-Deepfake1M."""
    clip_folder = f"{identity}/21Uxsk56VDQ/00001"
    video = [_PERIOD] if kind in {"visual_modified", "both_modified"} else []
    audio = [_PERIOD] if kind in {"audio_modified", "both_modified"} else []
    source = "VoxCeleb2/dev/mp4/id00012/21Uxsk56VDQ/00001.mp4"
    entry = {
        "file": f"{clip_folder}/{VARIANTS[kind]}",
        "original": source if kind == "real" else f"{clip_folder}/real.mp4",
        "split": "train",
        "modify_type": kind,
        "audio_model": "vits" if audio else None,
        "fake_segments": video or audio,
        "audio_fake_segments": audio,
        "visual_fake_segments": video,
        "video_frames": NUM_FRAMES,
        "audio_frames": 19_200,
    }
    return entry | changes


def av1m(folder, *, identities=("id00012", "id00017")):
    """AV-Deepfake1M: lists, a file of metadata for each clip, and test clips without truth."""
    for split, split_identities in {"train": identities, "val": ("id00099",)}.items():
        entries = [
            av1m_entry(kind, identity, split=split)
            for identity in split_identities
            for kind in VARIANTS
        ]
        put_json(folder / f"{split}_metadata.json", entries)
        for entry in entries:
            put_clip(folder / split / entry["file"])
            details = entry | {"operations": [], "transcripts": []}
            put_json((folder / f"{split}_metadata" / entry["file"]).with_suffix(".json"), details)
    _put_private(folder, "test", "test_files.txt")
    return folder


def plusplus_entry(kind="both_modified", source="vox_celeb_2/id01358/_1nATum8x78/00030", **changes):
    """An entry of AV-Deepfake1M++."""
    entry = av1m_entry(kind)
    paths = {"file": f"{source}/{VARIANTS[kind]}", "original": f"{source}/real.mp4"}
    model = "Talklip" if entry["visual_fake_segments"] else None
    return entry | paths | {"video_model": model} | changes


def plusplus(folder, *, lists=True):
    """AV-Deepfake1M++: metadata beside each clip, three sources, and lists if wanted."""
    sources = {
        "train": ("vox_celeb_2/id01358/_1nATum8x78/00030", "lrs3/ukgnU2aXM2c/00004"),
        "val": ("silent_videos/subject_7_ab12_vid_1_2",),
    }
    for split, folders in sources.items():
        entries = [
            plusplus_entry(kind, where, split=split) for where in folders for kind in VARIANTS
        ]
        if lists:
            put_json(folder / f"{split}_metadata.json", entries)
        for entry in entries:
            put_clip(folder / split / entry["file"])
            put_json((folder / split / entry["file"]).with_suffix(".json"), entry)
    _put_private(folder, "testA", "testA_files.txt")
    _put_private(folder, "testB", "testB_files.txt")
    return folder


def tvil_entry(**changes):
    """A record of TVIL."""
    entry = {
        "file": "0a7a3629.mp4",
        "split": "valid",
        "duration": 1.2,
        "fps": 25.0,
        "fake_periods": [_PERIOD],
        "n_fakes": 1,
    }
    return entry | changes


def tvil(folder, *, videos=""):
    """TVIL: an object of records, videos in a folder below, and the published features."""
    entries = {}
    for index, split in enumerate(("train", "train", "valid", "test")):
        periods = [_PERIOD] if index else []
        name = f"{index:08x}"
        entries[name] = tvil_entry(
            file=f"{name}.mp4", split=split, fake_periods=periods, n_fakes=len(periods)
        )
        put_clip(folder / videos / f"{name}.mp4")
    put_json(folder / "annotations" / "metadata.json", entries)
    return folder


def put_json(path, value):
    """Write JSON, on one line as the datasets have it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value), encoding="utf-8")
    return path


def put_clip(path):
    """Write a clip of 1.2 s; it is encoded once and copied from then on."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if _encoded_clips and _encoded_clips[0].is_file():
        shutil.copyfile(_encoded_clips[0], path)
    else:
        _encoded_clips[:] = [clip(path, duration_s=NUM_FRAMES / 25)]
    return path


def tree(folder):
    """Return every file below a folder with its bytes, and every folder."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() else None
        for path in sorted(Path(folder).rglob("*"))
    }


#: The clip that was encoded last, if its folder still stands.
_encoded_clips: list[Path] = []


def _put_private(folder, split, names):
    files = [f"{index:06d}.mp4" for index in (1, 2)]
    for name in files:
        put_clip(folder / split / name)
    (folder / names).write_text("\n".join(files) + "\n")
