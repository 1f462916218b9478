"""A report as one page that a person can read, keep, print and send.

The page needs nothing but itself: no network and no second file. Its own policy forbids a browser
to fetch anything for it but the clip that lies beside it, so opening it tells nobody. The one
script in it, named by its hash, plays that clip; without it the page is whole.
"""

import base64
import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from mmmsba_plugin.errors import MmmsbaError
from mmmsba_plugin.media.encode import jpeg_data_uri
from mmmsba_plugin.media.video import frame_at
from mmmsba_plugin.report.attention import AttentionStrip, attention_strips
from mmmsba_plugin.report.excerpts import ExcerptReader, SegmentExcerpts
from mmmsba_plugin.report.facts import (
    command_again,
    media_facts,
    provenance_facts,
    trace_facts,
)
from mmmsba_plugin.report.text import (
    ALTERED,
    SPEAKS,
    count_of_real,
    percent,
    verdict,
    visible,
)
from mmmsba_plugin.report.timeline import CURVE_BOX, known_end_s, timeline
from mmmsba_plugin.schema import FaceTrackReport, FakeSegment, Media, Report, Windows
from mmmsba_plugin.timebase import clock

if TYPE_CHECKING:
    from jinja2 import Environment

NUM_PROPOSALS = 10

#: Each frame adds some 20 kB to the page.
MAX_FRAMES = 50
#: What can be seen and heard of a segment adds some 60 kB, and half a second of decoding.
MAX_EXCERPTS = 12
_FRAME_PX = 288
#: Faces that are shown, and short side of the frame that they are cut out of.
MAX_FACES = 16
_PORTRAIT_FRAME_PX = 540


@dataclass(frozen=True, slots=True)
class Card:
    """One fake segment, to be looked at.

    Attributes:
        number: Its place in time, from 1.
        segment: The segment.
        frame: The frame at its middle, as a data URI; None if there is none.
        caption: Which frame it is, or why there is none.
        excerpts: What can be seen and heard of it; None where it is not shown.
        attention: Where the network looked; empty where that is not known.
        attention_span: Start and end of what it could look at, in seconds.
    """

    number: int
    segment: FakeSegment
    frame: str | None
    caption: str
    excerpts: SegmentExcerpts | None
    attention: Sequence[AttentionStrip] = ()
    attention_span: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Player:
    """Source that the clip is played from.

    Attributes:
        source: The clip's file beside the page, as a relative reference.
        end_s: The end of the time line, in seconds.
    """

    source: str
    end_s: float


def render(report: Report, *, clip: Path | None = None) -> str:
    """Return the page of a report as HTML.

    The media file is read for frames if it is still there; if not, the page says so.

    Args:
        report: With or without curves; without, the time line shows segments alone.
        clip: Where the file lies for now, if not where the report says; the page does not play it.
    """
    # The name of a clip that lies elsewhere is no path.
    player = _player(report) if clip is None else None
    readable = report
    if clip is not None:
        media = report.media.model_copy(update={"path": str(clip)})
        readable = report.model_copy(update={"media": media})
    return (
        environment()
        .get_template("report.html.j2")
        .render(
            report=report,
            name=Path(report.media.path).name or report.media.path,
            verdict=verdict(report),
            reasons=list(_reasons(report)),
            limits=list(_limits(report)),
            timeline=timeline(report),
            curve_box=CURVE_BOX,
            faces=list(_faces(readable)),
            speaks=SPEAKS,
            cards=list(_cards(readable)),
            fake_s=sum(s.end_s - s.start_s for s in report.segments),
            proposals=report.proposals[:NUM_PROPOSALS],
            altered=ALTERED,
            player=player,
            policy=_policy(plays=player is not None),
            media_facts=list(media_facts(report.media)),
            trace_facts=list(trace_facts(report.media.traces)),
            provenance_facts=list(provenance_facts(report.provenance)),
            command_again=command_again(report),
            settings=json.dumps(report.provenance.config, indent=2, default=str).splitlines(),
        )
    )


@cache
def environment() -> "Environment":
    """Return the environment that all pages are made in: it escapes, and shows what is unseen.

    Templates lie in ``report/templates``; ``base.css`` is the style that pages share.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    pages = Environment(
        loader=PackageLoader("mmmsba_plugin", "report/templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        # Everything that is shown passes here, so no name can hide a character or a line end.
        finalize=lambda value: visible(value) if isinstance(value, str) else value,
    )
    pages.filters |= {"clock": clock, "percent": percent}
    return pages


@cache
def _policy(*, plays: bool) -> str:
    """Return the policy of the page: a browser may show what it holds, and run the one script.

    Args:
        plays: Whether it may also read the clip: from where the page itself comes from, or a file
            that its reader chooses.

    Source:
        W3C Content Security Policy Level 3.
    """
    script = environment().get_template("page.js").render()
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    rules = [
        "default-src 'none'",
        "img-src data:",
        "style-src 'unsafe-inline'",
        f"script-src 'sha256-{digest}'",
        *(["media-src 'self' blob:"] if plays else []),
    ]
    return "; ".join(rules)


def _player(report: Report) -> Player | None:
    """Return the source of playback; None if it was not there when the page was made."""
    media, end_s = report.media, known_end_s(report)
    if (media.video or media.audio) is None or end_s <= 0 or _clip_missing_reason(media):
        return None
    # With the folder, since a name such as "http:a" would be an address; every other sign that
    # an address could be made of is escaped.
    return Player(f"./{quote(os.fsencode(Path(media.path).name))}", end_s)


def _reasons(report: Report) -> Iterator[str]:
    """Yield, in sentences, what the verdict rests on."""
    if report.problem is not None:
        yield f"{report.problem.message} ({report.problem.kind})"
    if report.score is None:
        return
    if report.threshold is None:
        yield f"The clip scores {report.score:.3f}. No threshold was set, so this is no verdict."
    else:
        side = "at or above" if report.fake else "below"
        yield (
            f"The clip scores {report.score:.3f}, {side} the threshold of "
            f"{report.threshold.value:.3f} from which a clip is flagged."
        )
        if (rate := report.threshold.false_positive_rate) is not None:
            yield f"The threshold was chosen to flag about {percent(rate)} of real clips."
    if report.face_tracks:
        yield _rests_on(report)
    if (share := report.real_share_above) is not None:
        count = count_of_real(share)
        yield f"Of 100 real clips that were held out in training, {count} as high or higher."
    if report.fake and not report.segments:
        yield "No segment stands out from the rest, so no place is named."
    if report.fake is False and report.segments:
        yield "Some segments stand out all the same; they are shown below."


def _rests_on(report: Report) -> str:
    """Say which of several faces the verdict rests on."""
    num_faces = len(report.face_tracks)
    if report.verdict_track is None:
        return f"Of {num_faces} faces none scores that high: it rests on what no face is seen in."
    return f"Of {num_faces} faces it rests on face {report.verdict_track}, which scores highest."


def _limits(report: Report) -> Iterator[str]:
    """Yield, in sentences, what the report cannot say."""
    if report.score is None:
        yield "Nothing was found out about this clip. That does not make it real."
    else:
        yield (
            "This is an indication by a statistical model, not court evidence. It can flag a "
            "real clip and miss a fake one; have a person look before anyone is accused."
        )
        if trained_on := report.provenance.trained_on:
            yield (
                f"The model learned from: {trained_on}. On other kinds of forgery, other languages "
                "and strongly compressed clips it is less reliable, by an unknown amount."
            )
        else:
            yield (
                "What the model learned from is not recorded, so where it is reliable is not known."
            )
        if report.windows is not None:
            yield _cut(report.windows)
        if report.provenance.calibration == "none":
            yield (
                "Scores are not calibrated: a higher one is more suspicious, none is a probability."
            )
    for name, modality_report in report.modalities.items():
        hidden_s = sum(o.end_s - o.start_s for o in modality_report.opt_outs)
        if modality_report.score is None:
            yield f"Nothing is said about {name}: it is absent or could not be evaluated."
        elif hidden_s:
            yield f"By {name}, {hidden_s:.2f} s could not be evaluated."
    yield from (f"{warning.rstrip('.')}." for warning in report.warnings)


def _cut(windows: Windows) -> str:
    """Say into which windows a long clip was cut."""
    parts = []
    if (length_s := windows.attention_s) is not None:
        parts.append(f"the network saw at most {length_s:g} seconds of it at once")
    if (length_s := windows.features_s) is not None:
        parts.append(f"features were compared within at most {length_s:g} seconds")
    return f"The clip is long: {' and '.join(parts)}."


def _no_frame_reason(media: Media) -> str | None:
    """Say why no frame of a clip can be shown; None if it can."""
    return "the clip has none" if media.video is None else _clip_missing_reason(media)


def _clip_missing_reason(media: Media) -> str | None:
    """Say why the clip of a report cannot be read any more; None if it can."""
    path = Path(media.path)
    if not path.is_file():
        return f"the clip is no longer at {path}"
    if media.size_bytes is not None and path.stat().st_size != media.size_bytes:
        return f"the file at {path} is not the one that was evaluated"
    return None


def _faces(report: Report) -> Iterator[tuple[FaceTrackReport, str | None]]:
    """Yield the face tracks of a report, with a frame of each as a data URI if there is one."""
    can_show = not _no_frame_reason(report.media)
    for index, track in enumerate(report.face_tracks):
        yield track, _portrait(report.media, track) if can_show and index < MAX_FACES else None


def _portrait(media: Media, track: FaceTrackReport) -> str | None:
    """Return a face as a data URI, cut out of the frame that the report names."""
    try:
        rgb = frame_at(media, track.box_time_s, max_short_side_px=_PORTRAIT_FRAME_PX).rgb
    except MmmsbaError:
        return None
    height, width = rgb.shape[:2]
    left, top, across, down = track.box_xywh
    rows = slice(int(top * height), int((top + down) * height) + 1)
    columns = slice(int(left * width), int((left + across) * width) + 1)
    return jpeg_data_uri(rgb[rows, columns])


def _cards(report: Report) -> Iterator[Card]:
    best = sorted(report.segments, key=lambda s: -s.score)
    no_frame_reason = _no_frame_reason(report.media)
    reader = None
    if report.segments and not _clip_missing_reason(report.media):
        reader = ExcerptReader(report)
    attention = {each.segment: each for each in report.attention}
    for number, segment in enumerate(report.segments, start=1):
        reason = no_frame_reason
        if segment not in best[:MAX_FRAMES]:
            reason = f"only the {MAX_FRAMES} segments of highest score have one"
        frame, caption = (None, f"No frame: {reason}") if reason else _shot(report, segment)
        is_shown = segment in best[:MAX_EXCERPTS]
        excerpts = reader.read(segment) if reader and is_shown else None
        card = Card(number, segment, frame, caption, excerpts)
        if is_shown and (own := attention.get(number)):
            num_cells = len(next(iter(own.weights.values())))
            end_s = own.start_s + own.stride_s * num_cells
            card = replace(
                card, attention=attention_strips(own), attention_span=(own.start_s, end_s)
            )
        yield card


def _shot(report: Report, segment: FakeSegment) -> tuple[str | None, str]:
    middle_s = (segment.start_s + segment.end_s) / 2
    try:
        frame = frame_at(report.media, middle_s, max_short_side_px=_FRAME_PX)
    except MmmsbaError as error:
        return None, f"No frame: {error}"
    return jpeg_data_uri(frame.rgb), f"Frame at {clock(frame.pts_s)}"
