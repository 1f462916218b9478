// A card for each segment, with a frame of it, and the details of the chosen one behind its card.

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
  children: React.ReactNode;
}

export function Cards({ clip, segments, frames, selected, select, children }: CardsProps) {
  const notes = clip.review?.notes ?? {};
  const chosen = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    // Sideways alone: the panel itself stays where it is.
    const card = chosen.current;
    const strip = card?.parentElement;
    if (!card || !strip) return;
    strip.scrollLeft = card.offsetLeft - strip.offsetLeft;
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
        <React.Fragment key={segment.id}>
          <button
            ref={segment.id === selected ? chosen : undefined}
            type="button"
            className={`card ${segment.id === selected ? "selected" : ""}`}
            data-cy="mmmsba-card"
            onClick={() => select(segment)}
          >
            <Thumbnail frame={frames.get(segment.id)} isLoading={frames.size === 0} />
            <span>
              {mark(segment)} <b>{segment.label}</b>{" "}
              <small>{segment.score?.toFixed(3)} {segment.decision}</small>
              <small className="line">{span(segment)}</small>
              {segment.words && <small className="line" title={segment.words}>“{segment.words}”</small>}
              {notes[segment.id] && (
                <small className="line" title={notes[segment.id]} data-cy="mmmsba-note">
                  ✎ {notes[segment.id]}
                </small>
              )}
            </span>
          </button>
          {segment.id === selected && children}
        </React.Fragment>
      ))}
    </div>
  );
}

function Thumbnail({ frame, isLoading }: { frame: FrameImage | undefined; isLoading: boolean }) {
  if (frame?.src) return <img src={frame.src} alt={`Frame at ${frame.caption}`} />;
  return <span className="none" title={frame?.caption}>{isLoading ? "…" : "no frame"}</span>;
}
