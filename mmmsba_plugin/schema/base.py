"""Units and words of a report, and the base of its parts."""

from typing import Annotated, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
    model_validator,
)

#: A modality: ``face``, ``lips`` or ``audio``, or a word a plug-in adds.
Modality = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]

#: The stream that is manipulated when a modality is; one not named here can show either.
ALTERED_BY_MODALITY = {"audio": "audio", "face": "visual", "lips": "visual"}

#: A network's own number, in [0, 1]: higher means more likely fake. It ranks; how likely a fake
#: is, it does not say. Checkpoints, localization and training speak of scores.
Score = Annotated[float, Field(ge=0.0, le=1.0)]

#: Calibrated P(fake), in [0, 1]. Reports, and everyone who reads them, speak of probabilities;
#: :func:`mmmsba_plugin.localization.calibrate.apply` alone turns scores into them. Keys of the
#: report that are called ``score`` hold probabilities too, since schema 1.0.
Probability = Annotated[float, Field(ge=0.0, le=1.0)]

#: A share of clips, in [0, 1].
Rate = Annotated[float, Field(ge=0.0, le=1.0)]

Seconds = Annotated[float, Field(allow_inf_nan=False)]


#: Words that may hold a file's name. A name can be bytes that are no UTF-8, which Python keeps
#: as lone surrogates and JSON cannot hold; there they are written as escapes, so that no file
#: is lost over its name.
Words = Annotated[
    str,
    PlainSerializer(
        lambda text: text.encode("utf-8", "backslashreplace").decode("utf-8"),
        return_type=str,
        when_used="json",
    ),
]

ManipulatedModality = Literal["audio", "visual", "both"]


class FrozenModel(BaseModel):
    """Base of a report and its parts: frozen, and strict about its keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class TimeSpan(FrozenModel):
    """A span of time ``[start_s, end_s)``, in seconds from the clip's zero."""

    start_s: Seconds = Field(description="Start, in seconds from the clip's zero.")
    end_s: Seconds = Field(
        description="End, in seconds from the clip's zero; this moment is outside."
    )

    @model_validator(mode="after")
    def _has_length(self) -> Self:
        if not self.end_s > self.start_s:
            raise ValueError(f"must end after it starts, got [{self.start_s}, {self.end_s})")
        return self
