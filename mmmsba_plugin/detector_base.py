"""Base of the detector, before it runs: its network, thresholds and provenance."""

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Self, cast

from mmmsba_plugin import weights
from mmmsba_plugin.clip_report import provenance_of
from mmmsba_plugin.config import Runtime, RuntimeConfig
from mmmsba_plugin.features.cache import FeatureCache
from mmmsba_plugin.features.front_ends import bind_front_ends, require_versions
from mmmsba_plugin.hookspecs import DetectorInfo
from mmmsba_plugin.schema import Provenance, ScoreThreshold
from mmmsba_plugin.weights import checkpoint_folder
from mmmsba_plugin.worker_process import survive_fork

if TYPE_CHECKING:
    from mmmsba_plugin.model.checkpoint import CheckpointConfig
    from mmmsba_plugin.model.ensemble import Network

NAME = "mmms-ba"

#: Options of ``detect`` beyond those of the protocol.
_OPTIONS = (
    *("trim_silence", "false_positive_rate", "audio_track", "face_track"),
    *("cancel", "time_limit_s", "on_progress"),
)
#: The option that only a network by PyTorch can heed.
_ATTENTION = "attention"


class BaseDetector:
    """A trained network with its thresholds, as a checkpoint holds it.

    Args:
        network: The network, with its weights.
        config: What travels with the weights: front-ends, grid, thresholds.
        checkpoint: What the report calls the weights.
        cache: Where features are kept between runs; none are kept if not given.
        folder: Checkpoint folder of the network, from which worker processes load it.

    Raises:
        PluginNotFoundError: A front-end that the network learned from is not installed.
        CheckpointError: It is, in a version whose numbers differ.
    """

    def __init__(
        self,
        network: "Network",
        config: "CheckpointConfig",
        *,
        checkpoint: str | None = None,
        cache: FeatureCache | None = None,
        folder: Path | None = None,
        runtime: RuntimeConfig | None = None,
    ) -> None:
        self.network = network
        self.config = config
        # At once, not at the first clip: what is wrong here is wrong for every clip.
        self.front_ends = bind_front_ends(config.features)
        require_versions(self.front_ends, config.front_end_versions)
        self._checkpoint = checkpoint
        self._cache = cache
        self._folder = folder
        self._runtime = runtime or RuntimeConfig()
        survive_fork()

    @classmethod
    def from_pretrained(
        cls,
        path: str | Path | None = None,
        *,
        cache: FeatureCache | None = None,
        runtime: Runtime = "auto",
        device: str = "cpu",
        threads: int | None = None,
    ) -> Self:
        """Return a detector with the weights of a checkpoint folder.

        The process's own settings of threads are the same after a clip as before it.

        Args:
            path: Folder that ``mmmsba train`` or ``mmmsba finetune`` wrote, or what ``mmmsba
                export`` wrote. If not given, the folder that ``MMMSBA_WEIGHTS`` names, else the
                bundled one.
            cache: Where features are kept between runs; none are kept if not given.
            runtime: What runs the network: ``torch``, or ``onnx`` where it was exported, in about
                half the time. ``auto`` is ``torch`` wherever there are weights for it.
            device: PyTorch's name of the device that the network runs on, such as ``cuda``;
                front-ends run on the processor.
            threads: Threads of PyTorch and OpenCV while features are computed. If not given, they
                keep what the process has set, which suits one clip at a time; give 1 where several
                processes share the cores. The network has one on the processor: its steps are
                too small to share.

        Raises:
            CheckpointNotFoundError: No folder was given and none is bundled, or it holds no
                checkpoint, or none for that runtime.
            CheckpointError: The checkpoint is damaged or of another format, or a front-end
                has changed since.
            ConfigError: There is no such runtime or device, or no thread.
            MissingExtraError: The extra ``onnx`` is needed and not installed.
            PluginNotFoundError: A front-end that it needs is not installed.
        """
        settings = {"runtime": runtime, "device": device, "threads": threads}
        return cls._load(checkpoint_folder(path), RuntimeConfig.read(settings), cache)

    @classmethod
    def _load(
        cls,
        folder: Path,
        runtime: RuntimeConfig,
        cache: FeatureCache | None,
        config: "CheckpointConfig | None" = None,
    ) -> Self:
        """Load the weights of a folder; ``config`` goes before what is stored with them."""
        from mmmsba_plugin.model.runtime import load_network

        network, stored = load_network(folder, runtime)
        return cls(
            network,
            config or stored,
            checkpoint=weights.name_of(folder),
            cache=cache,
            folder=folder,
            runtime=runtime,
        )

    def at_false_positive_rate(self, rate: float) -> Self:
        """Return this detector with the thresholds of clips and of segments for a rate.

        Args:
            rate: Share of real clips that may be flagged, in (0, 1).

        Raises:
            ConfigError: The checkpoint has none for that rate; the message lists those it has.
        """
        return self._changed(self.config.at_false_positive_rate(rate))

    def with_threshold(self, probability: float) -> Self:
        """Return this detector with another threshold of clips and of segments.

        Localization runs at it too, so a clip is fake exactly if it has a segment.

        Args:
            probability: P(fake) from which a clip counts as fake, in [0, 1].

        Raises:
            ConfigError: The calibration gives no score that probability.
            ScoreRangeError: It lies outside [0, 1].
        """
        from mmmsba_plugin.localization.calibrate import lowest_score

        score = lowest_score(self.config.calibration, probability)
        return self._changed(self.config.at_threshold(ScoreThreshold(value=score)))

    def _changed(self, config: "CheckpointConfig") -> Self:
        """Return a copy of this detector with other settings."""
        return type(self)(
            self.network,
            config,
            checkpoint=self._checkpoint,
            cache=self._cache,
            folder=self._folder,
            runtime=self._runtime,
        )

    @property
    def info(self) -> DetectorInfo:
        """Name, summary, modalities, rates to choose from and provenance, as plain values."""
        modalities = self.config.modalities
        attentions = dict.fromkeys(member.attention for member in self.config.members)
        info: DetectorInfo = {
            "name": NAME,
            "summary": f"Attention {' and '.join(attentions)} over {', '.join(modalities)}.",
            "modalities": list(modalities),
            "false_positive_rates": list(self.config.false_positive_rates),
            "options": [*_OPTIONS, *([_ATTENTION] if self.network.is_explainable else [])],
            "announces_reports": True,
        }
        provenance = self._provenance.model_dump(mode="json", exclude={"command", "created_utc"})
        return cast("DetectorInfo", {**info, **provenance})

    @cached_property
    def _provenance(self) -> Provenance:
        return provenance_of(self.config, detector=NAME, checkpoint=self._checkpoint)
