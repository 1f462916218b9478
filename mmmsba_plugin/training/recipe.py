"""Recipe of a training run against that of the paper: what differs, and what the paper leaves open.

All values are read from settings, so that a model card cannot say other than what was done. The
page ``recipe.md`` beside this module is written by ``python -m mmmsba_plugin.training.recipe``.

Source:
    Katamneni & Rattani, IJCB 2024, arXiv 2408.01532v2, sections 3 and 4, and the authors' code.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from mmmsba_plugin.config import FitConfig, ModelConfig, Preset, TrainConfig
from mmmsba_plugin.model.checkpoint import CheckpointConfig

#: The page that ships with the package.
PAGE = Path(__file__).with_name("recipe.md")

#: Presets that the page shows beside one another.
_PRESETS: tuple[Preset, ...] = ("paper", "reference", "mmmsba")

#: Settings that the paper states; it leaves the others open.
_STATED = frozenset(
    {
        *("members", "attention", "gate", "residual", "recurrent", "dense"),
        *("input_units", "gru_units", "dense_units", "joint_layers", "pyramid_levels"),
        *("cross_modal", "pool_words", "smoothing"),
        *("activation", "dropout_input", "dropout_gru", "dropout_dense", "heads", "learns_from"),
        *("batch_size", "modality_dropout", "max_snippets", "weight_decay"),
        *("loss.classification", "loss.regression_weight", "loss.normaliser"),
    }
)

#: Where the preset ``reference`` does not train as the authors' code does.
_UNLIKE_THE_AUTHORS_CODE = (
    "Dropout of 0.5 inside the recurrence is left out: PyTorch's GRU has none.",
    "Dropout of what a Bi-GRU reads is drawn anew for each snippet; Keras draws it once a clip.",
    "Padding takes part in attention, as in the authors' code, but not in the loss.",
    "Held-out clips choose when to stop, and which epoch is kept; the authors take the test clips.",
    "Features are standardised, and scores are calibrated after training.",
)


@dataclass(frozen=True, slots=True)
class Difference:
    """A setting that differs from the preset ``paper``.

    Attributes:
        setting: Its name in a configuration.
        paper: Its value in the preset ``paper``.
        here: Its value, or values of several networks.
        is_stated: Whether the paper states it.
    """

    setting: str
    paper: str
    here: str
    is_stated: bool


@dataclass(frozen=True, slots=True)
class OpenSetting:
    """A setting that the paper leaves open.

    Attributes:
        name: What is left open.
        choice: Format what a run has chosen.
        reason: Why it is chosen so by default.
    """

    name: str
    choice: Callable[[FitConfig], str]
    reason: str


def settings_of(config: CheckpointConfig) -> FitConfig:
    """Return the settings that a checkpoint was trained with.

    What an older checkpoint does not state is that of its preset. Settings of a preset that is
    not known, as a stranger's, are those of ``paper``; its network is known setting by setting.
    """
    training, preset = config.training, config.training.get("preset")
    rate = config.score_threshold.false_positive_rate
    return FitConfig.read(
        {
            # Where its clips were too few, the rate that was asked for is not known.
            **({} if rate is None else {"false_positive_rate": rate}),
            "preset": preset if preset in get_args(Preset) else "paper",
            "network": {"members": [m.model_dump(exclude={"dims"}) for m in config.members]},
            "features": config.features,
            "train": {k: v for k, v in training.items() if k in TrainConfig.model_fields},
            "localization": config.localization,
            "calibration": config.calibration.method,
            "score_threshold": training.get("score_threshold"),
            "trained_on": config.trained_on,
            "caution": config.caution,
        }
    )


def differences(config: FitConfig) -> list[Difference]:
    """Return what differs from the preset ``paper`` in network and training, but the seed.

    Example:
        >>> [(d.setting, d.paper, d.here) for d in differences(FitConfig(network={"gru_units": 9}))]
        [('gru_units', '300', '9')]
    """
    paper, here = _values(FitConfig()), _values(config)
    return [
        Difference(name, paper[name], value, name in _STATED)
        for name, value in here.items()
        if value != paper[name] and name != "seed"
    ]


def _values(config: FitConfig) -> dict[str, str]:
    """Return each setting of network and training, formatted."""
    members = config.members({"face": 1})
    train = config.train.model_dump(exclude={"loss"})
    loss = config.train.loss.model_dump()
    return {
        "members": str(len(members)),
        **{name: _of_members(members, name) for name in ModelConfig.model_fields if name != "dims"},
        **{name: _format(value) for name, value in train.items()},
        **{f"loss.{name}": _format(value) for name, value in loss.items()},
    }


def _of_members(members: Sequence[ModelConfig], name: str) -> str:
    """Format a setting of each network; those that share a value are counted."""
    values = [_format(getattr(member, name)) for member in members]
    kinds = dict.fromkeys(values)
    if len(kinds) == 1:
        return values[0]
    return ", ".join(f"{value} in {values.count(value)} of {len(values)}" for value in kinds)


def _format(value: Any) -> str:  # noqa: ANN401 - any setting
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple | list):
        return ", ".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def _front_ends(config: FitConfig) -> str:
    return ", ".join(f"{m}: {choice.name}" for m, choice in config.features.front_ends.items())


def _frame_rate(config: FitConfig) -> str:
    rate_hz = config.features.media.max_fps_hz
    return "all" if rate_hz is None else f"at most {rate_hz:g} a second"


def _of_network(name: str) -> Callable[[FitConfig], str]:
    return lambda config: _of_members(config.members({"face": 1}), name)


def _dropouts(config: FitConfig) -> str:
    places = {"input": "Bi-GRU input", "gru": "its output", "dense": "dense layers"}
    return "; ".join(f"{_of_network(f'dropout_{k}')(config)} on {v}" for k, v in places.items())


def _focal(config: FitConfig) -> str:
    loss = config.train.loss
    if loss.classification == "asymmetric":
        return f"asymmetric, {loss.focal_gamma:g} for real snippets"
    is_focal = loss.classification == "focal"
    return f"{loss.focal_alpha:g} and {loss.focal_gamma:g}" if is_focal else "cross-entropy"


def _epochs(config: FitConfig) -> str:
    train = config.train
    return (
        f"at most {train.max_epochs}; {train.patience} without a better {train.stop_by} of "
        f"validation clips; the one of best {train.keep_by} is kept"
    )


def _proposals(config: FitConfig) -> str:
    of = config.localization
    kind = f"soft-NMS, sigma {of.sigma:g}" if of.suppression == "soft" else f"NMS, {of.tiou:g}"
    return f"{kind}; scores from {of.min_score:g}; at most {of.max_proposals}"


def _threshold(config: FitConfig) -> str:
    if config.score_threshold is not None:
        return f"{config.score_threshold:g}"
    return f"that of {config.false_positive_rate:.0%} of real validation clips"


def _fixed(text: str) -> Callable[[FitConfig], str]:
    return lambda _: text


#: Everything that the paper does not state and that a run must choose, in the order of a run.
OPEN_SETTINGS = (
    OpenSetting(
        "Length of a snippet (`features.stride_s`)",
        lambda config: f"{config.features.stride_s:g} s",
        "The authors' code has a length without a value. Short, as fakes of a word are.",
    ),
    OpenSetting(
        "Features (`features.front_ends`)",
        _front_ends,
        "Paper and code name none, nor a face detector, crop or sample rate; these are ours.",
    ),
    OpenSetting(
        "Frames that are used (`features.media.max_fps_hz`)",
        _frame_rate,
        "The authors' code takes vectors from elsewhere; all frames where cost does not matter.",
    ),
    OpenSetting(
        "Standardisation of features",
        _fixed("by mean and deviation of the training clips"),
        "Ours; features of different units would not learn at one rate.",
    ),
    OpenSetting(
        "Longest stretch attended at once (`localization.window_s`)",
        lambda config: f"{config.localization.window_s:g} s",
        "The softmax runs over a whole clip; beyond this length over windows, as memory is finite.",
    ),
    OpenSetting(
        "Initial weights",
        _fixed("Glorot uniform, orthogonal recurrence, zero biases; regression bias 1"),
        "Those of Keras, which the authors use. A regression that starts below zero never learns.",
    ),
    OpenSetting(
        "Places of dropout",
        _dropouts,
        "The paper says 0.3 on all layers; these are those of the code that PyTorch has.",
    ),
    OpenSetting(
        "Dense layer before the heads (`network.fusion_units`)",
        _of_network("fusion_units"),
        "Figure 2 draws one; text and code have none.",
    ),
    OpenSetting(
        "Order of the fused blocks",
        _fixed("face-lips, audio-face, lips-audio, face, audio, lips"),
        "The paper gives none; this is that of the authors' code.",
    ),
    OpenSetting(
        "Attention leaves padding out (`network.mask_attention`)",
        _of_network("mask_attention"),
        "In the authors' code results depend on the length of padding; off for parity alone.",
    ),
    OpenSetting(
        "Share of a snippet that makes it fake (`train.min_overlap`)",
        lambda config: _format(config.train.min_overlap) if config.train.min_overlap else "any",
        "As the authors' helper.",
    ),
    OpenSetting(
        "Truth of a clip of which not all is present (`train.labels_of`)",
        lambda config: (
            f"that of what is in the {config.train.labels_of}"
            if config.train.labels_of == "clip"
            else "that of what is present"
        ),
        "The paper leaves missing modalities to later work.",
    ),
    OpenSetting(
        "Alpha and gamma of the focal loss (`train.loss`)",
        _focal,
        "0.25 and 2 in the authors' unused code, and in ActionFormer's, which they carry.",
    ),
    OpenSetting(
        "IoU of the regression loss (`train.loss.regression`)",
        lambda config: config.train.loss.regression,
        "The paper says DIoU and cites GIoU; their code carries ActionFormer's DIoU.",
    ),
    OpenSetting(
        "Divisor of the loss (`train.loss.normaliser`)",
        lambda config: config.train.loss.normaliser,
        "Equation 8 divides by the fake snippets, and is not defined without any; then by 1.",
    ),
    OpenSetting(
        "Targets of the regression",
        _fixed("distances from a snippet's middle to the ends of the segment that holds it"),
        "The only reading by which non-negative outputs, DIoU and NMS make sense. Without the head "
        "`regress`, a segment is its snippets.",
    ),
    OpenSetting(
        "Learning rate and its decay an epoch",
        lambda config: f"{config.train.learning_rate:g} and {config.train.decay:g}",
        "The rate is Keras' default, which the authors' code takes; the decay is ours.",
    ),
    OpenSetting("Epochs", _epochs, "The paper stops early, and does not say by what."),
    OpenSetting(
        "Who decides when to stop",
        _fixed("the dataset's validation split, else held-out identities"),
        "The authors' code takes the test clips, which flatters.",
    ),
    OpenSetting(
        "Balance of real and fake clips",
        _fixed("as the data are"),
        "The paper says nothing; FakeAVCeleb has many more fakes.",
    ),
    OpenSetting(
        "Score from which a clip counts as fake (`false_positive_rate`, `score_threshold`)",
        _threshold,
        "A fake snippet makes a fake clip in the paper, from no stated score; a focal loss leaves "
        "scores low.",
    ),
    OpenSetting(
        "Calibration (`calibration`)",
        lambda config: config.calibration,
        "Ours; it changes no ranking.",
    ),
    OpenSetting(
        "Segments that are shown",
        _fixed("by two thresholds; their ends are voted for by the regression"),
        "The paper has NMS alone, which serves proposals here.",
    ),
    OpenSetting(
        "Suppression of proposals (`localization`)",
        _proposals,
        "The paper says NMS and cites soft-NMS, without constants.",
    ),
    OpenSetting(
        "Seeds",
        lambda config: _format(config.train.seed),
        "The authors' code takes five and prints mean and maximum; `mmmsba reproduce` takes three.",
    ),
)


def difference_lines(config: FitConfig) -> Iterator[str]:
    """Yield the table of what differs from the preset ``paper``, Markdown."""
    if not (rows := differences(config)):
        yield "Nothing differs from the preset `paper`."
        return
    yield from ("| setting | the paper | here | |", "|---|---|---|---|")
    for row in rows:
        stated = "stated by the paper" if row.is_stated else "left open by it, our choice"
        yield f"| `{row.setting}` | {row.paper} | {row.here} | {stated} |"


def open_lines(config: FitConfig) -> Iterator[str]:
    """Yield the table of what the paper leaves open, and what a run has chosen, Markdown."""
    yield from ("| left open | here | why |", "|---|---|---|")
    for setting in OPEN_SETTINGS:
        yield f"| {setting.name} | {setting.choice(config)} | {setting.reason} |"


def recipe_lines(config: FitConfig) -> Iterator[str]:
    """Yield the sections of a model card on the recipe of its run, Markdown."""
    yield from ("## What differs from the paper", "", *difference_lines(config))
    yield from ("", "## What the paper leaves open", "", *open_lines(config))


def page() -> str:
    """Return the page that ships, Markdown."""
    configs = [FitConfig.read({"preset": preset}) for preset in _PRESETS]
    lines = [*_TOP, f"| left open | {' | '.join(_PRESETS)} | why |", "|---|---|---|---|---|"]
    for setting in OPEN_SETTINGS:
        choices = [setting.choice(config) for config in configs]
        lines.append(f"| {setting.name} | {' | '.join(choices)} | {setting.reason} |")
    lines += _NOT_THE_CODE
    lines += [f"- {sentence}" for sentence in _UNLIKE_THE_AUTHORS_CODE]
    for preset, config in zip(_PRESETS[1:], configs[1:], strict=True):
        lines += ["", f"## How `{preset}` differs from `paper`", "", *difference_lines(config)]
    return "\n".join(lines) + "\n"


_TOP = (
    "# The recipe of the paper, and ours",
    "",
    "The preset `paper` trains the network of the paper (Katamneni & Rattani, IJCB 2024, arXiv",
    "2408.01532v2) as its sections 3 and 4 say; `reference` as the authors' code does; `mmmsba` is",
    "ours, and that of the bundled weights; `fast` has its networks, on features that cost less.",
    "Every model card has these tables for its own run.",
    "",
    "Stated by the paper, and kept to by `paper`: a Bi-GRU of 300 units and a dense layer of 100",
    "with ReLU for each modality, dropout 0.3, equations 2 to 7, softmax and ReLU heads, equation",
    "8 with lambda 1, Adam with exponential decay, 32 clips a batch, early stopping.",
    "",
    "## What the paper leaves open",
    "",
)
_NOT_THE_CODE = (
    "",
    "## Where `reference` is not the authors' code",
    "",
)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
