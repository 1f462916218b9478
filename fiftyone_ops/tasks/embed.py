"""Write embeddings of clips by the detector, for FiftyOne's Brain: similar clips, and a map of all.

From Python, without the App::

    from fiftyone_ops.tasks.embed import embed

    embed(dataset)
    dataset.sort_by_similarity(sample_id, brain_key="forgery_embedding_similarity")

The embedding of a clip is the mean of those of its snippets: what the network's heads read. Clips
lie close where they look alike to the detector, by the way they were made as by who is in them.
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any, Final

import fiftyone as fo
import numpy as np
from numpy.typing import NDArray

from mmmsba_plugin.errors import CapabilityError, MmmsbaError

from ..dataset import store
from ..dataset.samples import Samples, batches, dataset_of, paths_of, videos_of
from ..errors import FieldTakenError
from ..settings import DetectSettings, EmbedSettings
from .base import Counted, Task
from .detect import load_detector

#: So many that writing costs little, and so few that little is lost.
_BATCH_SIZE: Final = 32
#: A plane cannot be laid through fewer clips.
_MIN_CLIPS: Final = 3


@dataclass(slots=True)
class EmbedSummary:
    """Summary of embedding.

    Attributes:
        embedding_field: Field of the embeddings; also the key of the run.
        num_embedded: Clips that were embedded now.
        num_before: Clips that were before, by the same weights.
        brain_keys: Runs of FiftyOne's Brain that were computed.
        failed: Why a clip has no embedding, by its file.
    """

    embedding_field: str
    num_embedded: int = 0
    num_before: int = 0
    brain_keys: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        before = f", {self.num_before} before" if self.num_before else ""
        failed = f", {len(self.failed)} could not be" if self.failed else ""
        brain = f"; see {', '.join(self.brain_keys)}" if self.brain_keys else ""
        return f"{self.num_embedded} clips embedded{before}{failed}{brain}"

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {
            "embedding_field": self.embedding_field,
            "embedded": self.num_embedded,
            "before": self.num_before,
            "brain_keys": list(self.brain_keys),
            "failed": dict(self.failed),
        }


def embed(
    samples: Samples, *, on_progress: Callable[[Counted], None] = lambda _: None, **settings: Any
) -> EmbedSummary:
    """Embed clips, and let FiftyOne's Brain compare them.

    Args:
        samples: A dataset or a view.
        on_progress: Called after each video.
        **settings: Those of :class:`~fiftyone_ops.settings.EmbedSettings`.

    Raises:
        ConfigError: A setting is unknown or out of bounds.
        TargetError: There are no videos.
        FieldTakenError: The field or a run is somebody else's.
        CapabilityError: The detector keeps its embeddings to itself.
        CheckpointNotFoundError: There are no weights.
        WriteError: The database does not take it.
    """
    return EmbedTask(samples, EmbedSettings.read(settings)).run(on_progress)


class EmbedTask(Task[Counted, EmbedSummary]):
    """Embeddings of videos; see :func:`embed`.

    Args:
        samples: A dataset or a view of videos.
        settings: Weights, field, and what is computed of the embeddings.

    Raises:
        MmmsbaError: As for :func:`embed`.
    """

    def __init__(self, samples: Samples, settings: EmbedSettings) -> None:
        self._videos, self._settings = videos_of(samples), settings
        self._dataset, name = dataset_of(self._videos), settings.embedding_field
        store.require_ours(self._dataset, name, method=store.EMBED, fields=(name,))
        choice = DetectSettings(detector=settings.detector, checkpoint=settings.checkpoint)
        self._detector = load_detector(choice)
        if not hasattr(self._detector, "explain"):
            raise CapabilityError(
                f"the detector {settings.detector} keeps its embeddings to itself; choose another",
                capability="explain",
            )
        made_by = store.made_by(self._detector.info)
        maker_before = store.value_of(self._dataset, name, "made_by")
        keys = {f"{name}_similarity", f"{name}_map"} & set(self._dataset.list_brain_runs())
        if keys and maker_before is None:
            raise FieldTakenError(
                f"{self._dataset.name!r} has a run {min(keys)!r} of FiftyOne's Brain that is none "
                "of ours; choose another field of embeddings"
            )
        if maker_before != made_by and self._dataset.has_field(name):
            # Embeddings of two networks cannot be compared, and may be of two lengths.
            self._dataset.clear_sample_field(name)
        with store.writing_to(self._dataset):
            self._dataset.add_sample_field(name, fo.VectorField)
            store.register(self._dataset, name, method=store.EMBED, made_by=made_by)
        ids = self._videos.values("id")
        before = set(self._videos.exists(name).values("id"))
        self._ids = [sample_id for sample_id in ids if sample_id not in before]
        self.summary = EmbedSummary(name, num_before=len(before))

    def steps(self) -> Generator[Counted, None, None]:
        """Embed the videos, one a step, and compare them; closed early, it writes what it has."""
        num_done, name = 0, self.summary.embedding_field
        for batch in batches(self._ids, _BATCH_SIZE):
            embeddings: dict[str, NDArray[np.float32]] = {}
            try:
                for sample_id, path in paths_of(self._dataset, batch).items():
                    try:
                        embeddings[sample_id] = embedding_of(self._detector, path)
                        self.summary.num_embedded += 1
                    except MmmsbaError as error:
                        self.summary.failed[path] = str(error)
                    num_done += 1
                    yield Counted(num_done, len(self._ids))
            finally:
                store.write(self._dataset, {name: embeddings})
        self._compare()

    def _compare(self) -> None:
        """Compute the runs of FiftyOne's Brain over all clips with an embedding."""
        # Of the dataset, whatever was chosen: a run replaces the one before it.
        videos = videos_of(self._dataset).exists(self.summary.embedding_field)
        if len(videos) < _MIN_CLIPS:
            return
        import fiftyone.brain as fob

        name = self.summary.embedding_field
        if self._settings.similarity:
            key = self._vacated(f"{name}_similarity")
            fob.compute_similarity(videos, embeddings=name, brain_key=key, backend="sklearn")
            self.summary.brain_keys.append(key)
        if self._settings.visualization:
            key = self._vacated(f"{name}_map")
            fob.compute_visualization(videos, embeddings=name, brain_key=key, method="pca")
            self.summary.brain_keys.append(key)

    def _vacated(self, key: str) -> str:
        """Delete the run of that key, if there is one, and return the key."""
        if key in self._dataset.list_brain_runs():
            self._dataset.delete_brain_run(key)
        return key


def embedding_of(detector: Any, path: str) -> NDArray[np.float32]:
    """Compute the embedding of a clip: the mean over its snippets that could be evaluated.

    Args:
        detector: A detector that explains its scores.
        path: The clip's file.

    Returns:
        Shape ``(value,)``.

    Raises:
        MediaUnreadableError: It cannot be decoded.
        CapabilityError: Nothing in it could be evaluated, so there is no embedding.
    """
    windows = list(detector.explain(path))
    snippets = [window.embeddings[~np.isnan(window.scores)] for window in windows]
    embeddings = np.concatenate(snippets) if snippets else np.empty((0, 0))
    if not len(embeddings):
        raise CapabilityError(
            f"nothing in {path} could be evaluated, so it has no embedding; see why in its verdict",
            capability="explain",
        )
    mean: NDArray[np.float32] = embeddings.mean(axis=0, dtype=np.float64).astype(np.float32)
    return mean
