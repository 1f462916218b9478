// A card for each segment, with a frame of it.

import React, { useEffect, useRef } from "react";
import { mark, span } from "./drawing";
import type { Candidate } from "./segments";
import type { Clip, FrameImage } from "./types";

interface CardsProps {
  clip: Clip;
  segments: readonly Candidate[];
  frames: ReadonlyMap<string, FrameImage>;
  selected: string | null;
  select(segment: Candidate): void;
}

export function Cards({ clip, segments, frames, selected, select }: CardsProps) {
  const notes = clip.review?.notes ?? {};
  const chosen = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    // Sideways alone: the panel itself stays where it is.
    const card = chosen.current;
    const strip = card?.parentElement;
    if (!card || !strip) return;
    const left = card.offsetLeft - strip.offsetLeft;
    const right = left + card.offsetWidth;
    if (left < strip.scrollLeft) strip.scrollLeft = left;
    else if (right > strip.scrollLeft + strip.clientWidth) strip.scrollLeft = right - strip.clientWidth;
  }, [selected]);
  if (segments.length === 0) {
    const words = clip.score === null
      ? "Nothing is known of this clip: it has no score."
      : "No segment reaches the threshold.";
    return <div className="quiet" data-cy="mmmsba-no-segments">{words}</div>;
  }
  return (
    <div className="cards">
      {segments.map((segment) => (
        <button
          key={segment.id}
          ref={segment.id === selected ? chosen : undefined}
          type="button"
          className={`card ${segment.id === selected ? "selected" : ""}`}
          data-cy="mmmsba-card"
          onClick={() => select(segment)}
        >
          <Thumbnail frame={frames.get(segment.id)} isLoading={frames.size === 0} />
          <span>
            {mark(segment)} <b>{segment.label}</b>
            <small>{span(segment)}</small>
            <small>
              {segment.score === null ? "" : `score ${segment.score.toFixed(3)}`} {segment.decision}
            </small>
            {notes[segment.id] && <small data-cy="mmmsba-note">✎ {notes[segment.id]}</small>}
          </span>
        </button>
      ))}
    </div>
  );
}

function Thumbnail({ frame, isLoading }: { frame: FrameImage | undefined; isLoading: boolean }) {
  if (frame?.src) return <img src={frame.src} alt={`Frame at ${frame.caption}`} />;
  return <span className="none" title={frame?.caption}>{isLoading ? "…" : "no frame"}</span>;
}
