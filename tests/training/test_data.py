"""Records become clips, and clips become batches."""

from dataclasses import replace

import numpy as np
import pytest

from mmmsba_plugin.datasets.lavdf import read_lavdf
from mmmsba_plugin.record import Record
from mmmsba_plugin.segment import Segment
from mmmsba_plugin.training.data import (
    ClipDataset,
    EpochShuffle,
    collate,
    ground_truth,
    load_clips,
    statistics,
)

from .runs import record


class TestGroundTruth:
    def test_truth_is_split_by_modality_where_the_dataset_does(self):
        audio, visual = (Segment(0.0, 1.0),), (Segment(2.0, 3.0),)
        labelled = replace(
            record("a"), truth=audio + visual, audio_truth=audio, visual_truth=visual
        )
        assert ground_truth(labelled) == {"all": audio + visual, "audio": audio, "visual": visual}

    def test_a_dataset_that_tells_nothing_apart_teaches_the_whole_truth(self):
        fake = record("a", fake=True)
        assert set(ground_truth(fake).values()) == {fake.truth}


class TestData:
    def test_a_clip_that_cannot_be_read_is_named_and_skipped(self, source, talking_clip, tmp_path):
        text = tmp_path / "text.mp4"
        text.write_text("this is no film")
        records = [Record(text), Record(tmp_path / "gone.mp4"), Record(talking_clip)]
        clips, skipped = load_clips(records, source)
        assert [clip.record.media for clip in clips] == [talking_clip]
        assert [skip.record.media for skip in skipped] == [text, tmp_path / "gone.mp4"]
        assert all(str(skip.record.media) in skip.reason for skip in skipped)

    def test_statistics_are_those_of_all_present_rows_together(self, source, talking_head_dataset):
        clips, _ = load_clips(list(read_lavdf(talking_head_dataset))[:3], source)
        rows = [source.features(clip.media).rows["lips"] for clip in clips]
        together = np.concatenate([r.values[r.present] for r in rows]).astype(np.float64)
        mean, std = statistics(clips, source)["lips"]
        assert mean == pytest.approx(together.mean(axis=0))
        assert std == pytest.approx(together.std(axis=0), abs=1e-6)

    def test_a_batch_is_as_long_as_its_longest_clip_and_says_what_is_padding(
        self, source, talking_head_dataset, talking_clip
    ):
        records = [Record(talking_clip), next(read_lavdf(talking_head_dataset))]
        clips, _ = load_clips(records, source)
        dataset = ClipDataset(clips, source, ["classify"])
        batch = collate([dataset[0], dataset[1]])
        labels = batch.targets["all"]["classify"]["labels"]
        lengths = [source.features(clip.media).num_snippets for clip in clips]
        assert len(set(lengths)) == 2
        assert batch.mask.sum(dim=1).tolist() == lengths
        assert batch.inputs["audio"].shape[:2] == labels.shape == batch.mask.shape
        assert not batch.present["face"][~batch.mask].any()


class TestEpochShuffle:
    def test_each_epoch_has_an_order_of_its_own_that_the_seed_decides(self):
        def order(seed: int, epoch: int) -> list[int]:
            shuffle = EpochShuffle(50, seed=seed)
            shuffle.set_epoch(epoch)
            return list(shuffle)

        orders = [order(seed, epoch) for seed in (0, 1) for epoch in (0, 1)]
        assert all(sorted(indices) == list(range(50)) for indices in orders)
        assert len({tuple(indices) for indices in orders}) == 4
        assert order(1, 1) == orders[-1]
