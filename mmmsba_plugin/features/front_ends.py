"""Front-ends of modalities, with their settings."""

from collections.abc import Mapping
from dataclasses import dataclass

from mmmsba_plugin.config import Config, FeaturesConfig
from mmmsba_plugin.errors import CheckpointError
from mmmsba_plugin.hookspecs import FeatureExtractor, FrontEnd
from mmmsba_plugin.plugins import lookup


@dataclass(frozen=True, slots=True)
class BoundFrontEnd:
    """A front-end with its settings."""

    entry: FrontEnd
    settings: Config

    def build(self) -> FeatureExtractor:
        """Build an extractor for one clip."""
        return self.entry.build(self.settings)


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


def require_versions(front_ends: Mapping[str, BoundFrontEnd], versions: Mapping[str, int]) -> None:
    """Check that front-ends are those that a network learned from.

    Raises:
        CheckpointError: One has another version, and so other numbers.
    """
    for modality, version in versions.items():
        bound = front_ends.get(modality)
        if bound is not None and bound.entry.version != version:
            raise CheckpointError(
                f"the network learned from version {version} of the front-end "
                f"{bound.entry.name!r}, and version {bound.entry.version} is installed, whose "
                "numbers differ; install the one it learned from, or train anew"
            )


def needing_faces(front_ends: Mapping[str, BoundFrontEnd]) -> list[str]:
    """List the modalities whose front-end needs faces."""
    return [m for m, bound in front_ends.items() if "faces" in bound.entry.inputs]
