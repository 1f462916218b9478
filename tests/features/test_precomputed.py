"""Features that another tool made: where they are found, and learning from them alone."""

import json
from pathlib import Path

import numpy as np
import pytest

from mmmsba_plugin.config import FeaturesConfig, FitConfig, FrontEndChoice, TrainConfig
from mmmsba_plugin.datasets.load import open_dataset
from mmmsba_plugin.errors import FeatureError
from mmmsba_plugin.features.cache import FeatureCache
from mmmsba_plugin.features.extract import extract
from mmmsba_plugin.features.front_ends import bind_front_ends
from mmmsba_plugin.features.precomputed import Precomputed, PrecomputedConfig, save_rows
from mmmsba_plugin.media.probe import probe
from mmmsba_plugin.model.checkpoint import load_checkpoint, read_config
from mmmsba_plugin.record import WHOLE_CLIP, Record
from mmmsba_plugin.schema import Media
from mmmsba_plugin.segment import Segment
from mmmsba_plugin.structures import FeatureRows
from mmmsba_plugin.timebase import Grid
from mmmsba_plugin.training.data import ClipDataset, Skipped, Source, collate, load_clips
from mmmsba_plugin.training.fit import fit

from ..layouts import put_json, tvil_entry
from ..layouts_csv import clip_table

HOP_S = 0.16
DURATION_S = 4.8

#: Beginning of an array that states a billion rows and holds none.
_HEADER = (
    b"\x93NUMPY\x01\x00\x76\x00{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000, 8), }"
)

#: What UMMAFormer publishes, and the modality that each stands in for.
FOLDERS = {"face": "feats/tsn/rgb", "lips": "feats/tsn/flow", "audio": "feats/byola"}


def choices(root: Path, *modalities: str) -> FeaturesConfig:
    """Settings by which each modality is read from its folder."""
    served = {
        modality: FrontEndChoice(
            name="precomputed", settings={"folder": str(root / FOLDERS[modality]), "hop_s": HOP_S}
        )
        for modality in modalities
    }
    return FeaturesConfig(stride_s=HOP_S, front_ends=served)


def write_rows(root: Path, name: str, truth: list[tuple[float, float]], *, seed: int) -> None:
    """Write features of a clip in every folder: noise, and a shift where it is fake."""
    rng = np.random.default_rng(seed)
    centers_s = Grid(stride_s=HOP_S).centers_s(round(DURATION_S / HOP_S))
    fake = np.zeros(len(centers_s))
    for start_s, end_s in truth:
        fake[(centers_s >= start_s) & (centers_s < end_s)] = 1.0
    for folder in FOLDERS.values():
        path = root / folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        values = rng.normal(size=(len(centers_s), 6)) + 2.5 * fake[:, None]
        np.save(path, values.astype(np.float32))


def value_of(folder: Path, clip: str) -> float:
    """Return the number that a clip's features are full of."""
    extractor = Precomputed(PrecomputedConfig(folder=folder, hop_s=0.1))
    extractor.start(Media(path=clip), Grid(stride_s=0.1))
    return float(extractor.finish(1).values[0, 0])


def write(path: Path, value: float) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    np.save(path, np.full((3, 1), value))
    return path


class TestSearch:
    def test_by_the_clips_name(self, tmp_path):
        write(tmp_path / "0001.npy", 1.0)
        assert value_of(tmp_path, "clips/train/0001.mp4") == 1.0
        assert value_of(tmp_path, "0001.mp4") == 1.0

    def test_in_a_folder_called_like_the_clips(self, tmp_path):
        for number, split in enumerate(("train", "valid", "test")):
            write(tmp_path / split / "0001.npy", float(number))
        assert value_of(tmp_path, "TVIL/valid/0001.mp4") == 1.0
        assert value_of(tmp_path, "TVIL/test/0001.mp4") == 2.0

    def test_first_in_the_folder_since_a_name_alone_may_stand_for_several_clips(self, tmp_path):
        write(tmp_path / "0001.npy", 1.0)
        write(tmp_path / "test" / "0001.npy", 2.0)
        assert value_of(tmp_path, "LAV-DF/test/0001.mp4") == 2.0
        assert value_of(tmp_path, "LAV-DF/train/0001.mp4") == 1.0

    def test_both_places_are_named_if_there_is_none(self, tmp_path):
        places = f"{tmp_path}/test/0001.npy or {tmp_path}/0001.npy"
        with pytest.raises(FeatureError, match=f"no features at {places}; check the folder and"):
            value_of(tmp_path, "LAV-DF/test/0001.mp4")


class TestLoading:
    def load(self, tmp_path, *records):
        config = choices(tmp_path, "audio")
        source = Source(bind_front_ends(config), config, FeatureCache(tmp_path / "cache"))
        return *load_clips(records, source), source

    def test_a_clip_that_is_not_there_lasts_as_its_dataset_says(self, tmp_path):
        write_rows(tmp_path, "a.npy", [], seed=0)
        record = Record(tmp_path / "train" / "a.mp4", duration_s=DURATION_S)
        [clip], skipped, source = self.load(tmp_path, record)
        assert skipped == []
        assert clip.media == Media(path=str(record.media), duration_s=DURATION_S)
        assert source.features(clip.media).num_snippets == 30

    def test_a_clip_that_is_there_lasts_as_its_file_says(self, tmp_path, talking_clip):
        write_rows(tmp_path, f"{talking_clip.stem}.npy", [], seed=0)
        [clip], _, _ = self.load(tmp_path, Record(talking_clip, duration_s=99.0))
        assert clip.media.duration_s == pytest.approx(3.0, abs=0.1)

    def test_a_clip_of_which_nobody_says_how_long_it_lasts_is_skipped_with_the_reason(
        self, tmp_path
    ):
        write_rows(tmp_path, "a.npy", [], seed=0)
        _, [skipped], _ = self.load(tmp_path, Record(tmp_path / "a.mp4"))
        assert skipped.reason == (
            f"{tmp_path / 'a.mp4'} is not there, and its dataset does not say how long it lasts; "
            "add the clip, or its duration_s"
        )

    def test_a_clip_without_features_is_skipped_with_the_reason(self, tmp_path):
        _, [skipped], _ = self.load(tmp_path, Record(tmp_path / "a.mp4", duration_s=1.0))
        assert isinstance(skipped, Skipped)
        assert "no features at" in skipped.reason

    def test_a_front_end_that_reads_clips_needs_them(self, tmp_path):
        write_rows(tmp_path, "a.npy", [], seed=0)
        config = choices(tmp_path, "audio")
        mixed = {**config.front_ends, "face": FrontEndChoice(name="face-texture")}
        config = config.model_copy(update={"front_ends": mixed})
        source = Source(bind_front_ends(config), config, FeatureCache(tmp_path / "cache"))
        _, [skipped] = load_clips([Record(tmp_path / "a.mp4", duration_s=1.0)], source)
        assert skipped.reason.startswith("there is no file")

    def test_every_snippet_of_a_whole_fake_clip_is_fake_and_no_boundary_is_taught(self, tmp_path):
        for name in ("whole", "partial"):
            write_rows(tmp_path, f"{name}.npy", [], seed=0)
        whole = Record(
            tmp_path / "whole.mp4",
            (WHOLE_CLIP,),
            audio_truth=(WHOLE_CLIP,),
            visual_truth=(),
            duration_s=DURATION_S,
        )
        partial = Record(tmp_path / "partial.mp4", (Segment(0.0, 1.0),), duration_s=DURATION_S)
        clips, _, source = self.load(tmp_path, whole, partial)
        batch = collate(
            [ClipDataset(clips, source, ["classify", "regress"])[index] for index in range(2)]
        )
        assert batch.targets["all"]["classify"]["labels"][0].all()
        assert batch.targets["audio"]["classify"]["labels"][0].all()
        assert not batch.targets["visual"]["classify"]["labels"][0].any()
        assert not batch.targets["all"]["regress"]["inside"][0].any()
        assert batch.targets["all"]["regress"]["inside"][1].any()
        assert clips[0].record.truth == (Segment(0.0, DURATION_S),)


def train(records, features: FeaturesConfig, out: Path):
    config = FitConfig(
        features=features,
        network={"gru_units": 12, "dense_units": 8},
        train=TrainConfig(batch_size=8, max_epochs=8, learning_rate=1e-2),
    )
    return fit(records, config, out / "checkpoint", cache=FeatureCache(out / "cache"))


@pytest.mark.story
class TestLearningWithoutClips:
    def test_tvil_is_learned_from_its_published_features_alone(self, tmp_path):
        root = tmp_path / "TVIL"
        listed = {}
        for index, split in enumerate(["train"] * 12 + ["valid"] * 8 + ["test"] * 2):
            periods = [[1.28, 2.88]] if index % 2 else []
            listed[f"{index:04}"] = tvil_entry(
                file=f"{index:04}.mp4",
                split=split,
                duration=DURATION_S,
                fake_periods=periods,
                n_fakes=len(periods),
            )
            write_rows(root, f"{split}/{index:04}.npy", periods, seed=index)
        put_json(root / "annotations" / "metadata.json", listed)
        records = open_dataset(f"tvil={root}", need_media=False).records()

        fitted = train(records, choices(root, "face", "lips"), tmp_path)

        assert not list(root.rglob("*.mp4"))
        assert (fitted.num_train, fitted.num_validation, fitted.skipped) == (12, 8, ())
        assert fitted.operating_point.metrics["clip_auc"] > 0.9
        network, _ = load_checkpoint(fitted.checkpoint)
        assert network.dims == {"face": 6, "lips": 6}

    def test_a_table_of_ones_own_will_do_and_three_modalities(self, tmp_path):
        rows = [
            {
                "path": f"{'train' if index < 12 else 'dev'}/{index}.mp4",
                "segments": json.dumps([[1.28, 2.88]] if index % 2 else []),
                "duration_s": DURATION_S,
                "split": "train" if index < 12 else "dev",
            }
            for index in range(20)
        ]
        table = clip_table(tmp_path, rows, make_clip=None)
        for index, row in enumerate(rows):
            name = str(Path(str(row["path"])).with_suffix(".npy"))
            write_rows(tmp_path, name, json.loads(str(row["segments"])), seed=index)
        records = open_dataset(f"folder={table}", need_media=False).records()

        fitted = train(records, choices(tmp_path, *FOLDERS), tmp_path)

        assert (fitted.num_train, fitted.num_validation, fitted.skipped) == (12, 8, ())
        assert read_config(fitted.checkpoint).members[0].dims == dict.fromkeys(FOLDERS, 6)


CLIP = Media(path="clip.mp4")


class TestPrecomputed:
    def rows(self, folder, values, *, hop_s=0.1, stride_s=0.2, num_snippets=3) -> FeatureRows:
        np.save(folder / "clip.npy", values)
        extractor = Precomputed(PrecomputedConfig(folder=folder, hop_s=hop_s))
        extractor.start(Media(path="anywhere/clip.mp4"), Grid(stride_s=stride_s))
        return extractor.finish(num_snippets)

    def test_rows_of_a_finer_hop_are_averaged_into_cells(self, tmp_path):
        rows = self.rows(tmp_path, np.arange(6, dtype=np.float64)[:, None])
        assert rows.values[:, 0].tolist() == [0.5, 2.5, 4.5]

    def test_rows_of_a_coarser_hop_are_repeated(self, tmp_path):
        rows = self.rows(tmp_path, np.array([[1.0], [2.0]]), hop_s=0.4, num_snippets=4)
        assert rows.values[:, 0].tolist() == [1, 1, 2, 2]

    def test_a_row_of_nan_is_not_present(self, tmp_path):
        values = np.array([[1.0], [1.0], [np.nan], [np.nan], [3.0], [3.0]])
        rows = self.rows(tmp_path, values)
        assert rows.present.tolist() == [True, False, True]

    def test_what_features_wrote_is_read_back(self, tmp_path, talking_clip):
        config = FeaturesConfig()
        computed = extract(probe(talking_clip), bind_front_ends(config), config)
        dict(save_rows(computed, tmp_path, talking_clip.stem))
        settings = {"folder": str(tmp_path / "audio"), "hop_s": config.stride_s}
        again = config.model_copy(
            update={"front_ends": {"audio": FrontEndChoice(name="precomputed", settings=settings)}}
        )
        stored = extract(probe(talking_clip), bind_front_ends(again), again)
        num = stored.num_snippets
        assert stored.rows["audio"].values == pytest.approx(computed.rows["audio"].values[:num])

    @pytest.mark.parametrize(
        ("content", "text"),
        [
            (None, "no features at .*clip.npy; check the folder and the suffix"),
            (b"not an array", "not a readable .npy file"),
            (b"\x93NUMPY\x01\x00\xff\x00" + b"(" * 255, "not a readable .npy file"),
            (_HEADER.ljust(127) + b"\n", "not a readable .npy file"),
            (np.zeros(3), r"must hold numbers of shape \(row, feature\), got float64 of shape"),
            (np.array([["a"]]), "must hold numbers"),
        ],
    )
    def test_what_is_no_feature_file_is_named(self, tmp_path, content, text):
        if isinstance(content, bytes):
            (tmp_path / "clip.npy").write_bytes(content)
        elif content is not None:
            np.save(tmp_path / "clip.npy", content)
        extractor = Precomputed(PrecomputedConfig(folder=tmp_path, hop_s=0.1))
        extractor.start(CLIP, Grid())
        with pytest.raises(FeatureError, match=text):
            extractor.finish(3)

    def test_an_array_of_python_objects_is_not_unpickled(self, tmp_path):
        np.save(tmp_path / "clip.npy", np.array([{"a": 1}]), allow_pickle=True)
        extractor = Precomputed(PrecomputedConfig(folder=tmp_path, hop_s=0.1))
        extractor.start(CLIP, Grid())
        with pytest.raises(FeatureError, match=r"not a readable .npy file"):
            extractor.finish(3)
