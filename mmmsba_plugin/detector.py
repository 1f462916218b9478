"""The whole story in one object: a file goes in, a report comes out."""

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from mmmsba_plugin.config import FeaturesConfig
from mmmsba_plugin.errors import CheckpointNotFoundError, MediaUnreadableError, MmmsbaError
from mmmsba_plugin.evidence import ClipFeatures
from mmmsba_plugin.features.extract import BoundFrontEnd, extract
from mmmsba_plugin.features.store import FeatureStore
from mmmsba_plugin.hookspecs import API_VERSION
from mmmsba_plugin.plugins import announce, lookup
from mmmsba_plugin.report import build
from mmmsba_plugin.schema import Media, Provenance, Report

if TYPE_CHECKING:
    from mmmsba_plugin.model.checkpoint import CheckpointConfig
    from mmmsba_plugin.model.mmmsba import MmmsBa

NAME = "mmms-ba"


class MmmsbaDetector:
    """Judges clips with a trained MMMS-BA network, or one of its ablations.

    Args:
        network: The network, with its weights.
        config: What travels with the weights: front-ends, grid, thresholds.
        checkpoint: What the report calls the weights.
        store: Where features are kept between runs; none are kept if not given.

    Example:
        >>> detector = Detector.from_pretrained("my-checkpoint")    # doctest: +SKIP
        >>> detector.detect("clip.mp4").segments                    # doctest: +SKIP
        (ForgedSegment(start_s=3.21, end_s=3.87, score=0.93, modality='audio', track=None),)
    """

    def __init__(
        self,
        network: "MmmsBa",
        config: "CheckpointConfig",
        *,
        checkpoint: str | None = None,
        store: FeatureStore | None = None,
    ) -> None:
        self.network = network
        self.config = config
        self._checkpoint = checkpoint
        self._store = store

    @classmethod
    def from_pretrained(
        cls, path: str | Path | None = None, *, store: FeatureStore | None = None
    ) -> Self:
        """Return a detector with the weights of a checkpoint folder.

        Args:
            path: Folder that ``mmmsba train`` wrote.
            store: Where features are kept between runs; none are kept if not given.

        Raises:
            CheckpointNotFoundError: No folder was given, or it holds no checkpoint.
            CheckpointError: The checkpoint is damaged or of another format.
        """
        if path is None:
            raise CheckpointNotFoundError(
                "no checkpoint was given and none is bundled yet; train one with "
                "`mmmsba train --data FOLDER -o my-checkpoint` (or see one made by "
                "`mmmsba demo`) and name it with --checkpoint my-checkpoint"
            )
        from mmmsba_plugin.model.checkpoint import load_checkpoint

        network, config = load_checkpoint(Path(path))
        return cls(network, config, checkpoint=Path(path).resolve().name, store=store)

    @property
    def info(self) -> Mapping[str, Any]:
        """Name, modalities and provenance, as plain values."""
        return {
            "name": NAME,
            "modalities": list(self.config.model.dims),
            **self._provenance.model_dump(mode="json"),
        }

    def detect(self, media: str | Path, **options: Any) -> Report:
        """Judge one clip.

        Args:
            media: The file.
            **options: None are known yet; unknown ones are ignored, as the interface asks.

        Returns:
            Its report. Unreadable media yield one of status ``error``, and media without
            anything to judge one of status ``abstained``; both say why.
        """
        del options
        try:
            report = self._judge(self._probe(media))
        except MmmsbaError as error:
            report = build.failed(_unread(media), error, provenance=self._now())
        heard = announce(report, Path(media))
        return report.model_copy(update={"warnings": (*report.warnings, *heard)})

    def detect_many(self, media: Iterable[str | Path], **options: Any) -> Iterator[Report]:
        """Judge clips one after the other, lazily; one that fails does not stop the rest."""
        for one in media:
            yield self.detect(one, **options)

    def predict(self, media: str | Path) -> float:
        """Return P(fake) of one clip, in [0, 1].

        Raises:
            MediaUnreadableError: The clip could not be judged; the message says why.
        """
        report = self.detect(media)
        if report.score is None:
            raise MediaUnreadableError(report.problem.message if report.problem else str(media))
        return report.score

    def _probe(self, media: str | Path) -> Media:
        from mmmsba_plugin.media.probe import probe

        return probe(media)

    def _judge(self, media: Media) -> Report:
        features = extract(media, self.front_ends, self.config.features, store=self._store)
        media = media.model_copy(update={"duration_s": features.end_s})
        if not any(rows.present.any() for rows in features.rows.values()):
            return build.abstained(media, features, provenance=self._now())
        return self._localize(media, features)

    def _localize(self, media: Media, features: ClipFeatures) -> Report:
        import numpy as np

        from mmmsba_plugin.localization.binarize import localize
        from mmmsba_plugin.localization.proposals import ranked_proposals
        from mmmsba_plugin.model.judge import judge

        config = self.config.localization
        found = judge(self.network, features, config)
        # Nothing can be found where nothing is present.
        said = (np.nan_to_num(found.scores, nan=0.0), found.distances, features.grid)
        return build.judged(
            media,
            features,
            scores=found.scores,
            by_modality=found.by_modality,
            segments=localize(*said, end_s=features.end_s, config=config),
            proposals=ranked_proposals(*said, end_s=features.end_s, config=config),
            threshold=self.config.threshold,
            onset=config.onset,
            provenance=self._now(),
        )

    @cached_property
    def front_ends(self) -> dict[str, BoundFrontEnd]:
        """What serves each modality, as the checkpoint says."""
        return bind_front_ends(self.config.features)

    @cached_property
    def _provenance(self) -> Provenance:
        from mmmsba_plugin import __version__

        return Provenance(
            package_version=__version__,
            api_version=API_VERSION,
            formula_version=self.config.formula_version,
            detector=NAME,
            checkpoint=self._checkpoint,
            checkpoint_sha256=self.config.weights_sha256 or None,
            trained_on=self.config.trained_on,
            config=self.config.model_dump(
                mode="json", include={"model", "features", "localization", "front_end_versions"}
            ),
        )

    def _now(self) -> Provenance:
        return build.stamped(self._provenance)


def bind_front_ends(config: FeaturesConfig) -> dict[str, BoundFrontEnd]:
    """Return the front-end of each modality, with its settings checked.

    Raises:
        PluginNotFoundError: No plug-in offers a front-end of that name.
        ConfigError: Its settings are wrong.
    """
    bound = {}
    for modality, choice in config.front_ends.items():
        entry = lookup("front_ends", choice.name)
        bound[modality] = BoundFrontEnd(entry, entry.config.read(choice.settings))
    return bound


def _unread(media: str | Path) -> Media:
    path = Path(media)
    return Media(path=str(media), size_bytes=path.stat().st_size if path.is_file() else None)
