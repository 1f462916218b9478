// A lane of segments, those that overlap below one another.

import React, { useState } from "react";
import { description, place, within } from "./drawing";
import { idOfDecision, moved, rowsOf } from "./segments";
import { timeAt } from "./timescale";
import { type LanesProps, Track } from "./Track";
import type { Segment, Span } from "./types";
import type { Edge } from "./useNudge";

/** Height of a row of segments. */
const ROW_PX = 21;

interface SegmentLaneProps extends LanesProps {
  name: string;
  kind: "predicted" | "beside" | "reference" | "reviewed";
  segments: readonly Segment[];
  movable?: boolean;
}

export function SegmentLane(props: SegmentLaneProps) {
  const { name, kind, segments, zoom } = props;
  const rows = rowsOf(segments);
  const height = ROW_PX * Math.max(1, ...rows.map((row) => row + 1));
  return (
    <div className={`lane ${kind}`} data-cy={`mmmsba-lane-${kind}`} style={{ height }}>
      <div className="name">{name}</div>
      <Track {...props}>
        {within(segments, zoom.window).map((segment) => (
          <SegmentBlock
            {...props}
            key={segment.id}
            segment={segment}
            row={rows[segments.indexOf(segment)] ?? 0}
          />
        ))}
      </Track>
    </div>
  );
}

function SegmentBlock(props: SegmentLaneProps & { segment: Segment; row: number }) {
  const { clip, segment, row, kind, selected, onSelect, onMove, movable, zoom } = props;
  const [draft, setDraft] = useState<Span | null>(null);
  const current = draft ?? segment;
  const isSelected = idOfDecision(segment) === selected;
  const isGone = clip.rejected.includes(segment);
  const rejected = kind === "predicted" && clip.review?.decided[segment.id] === "rejected";
  const classes = ["segment", isSelected && "selected", (rejected || isGone) && "rejected"];
  const drag = (edge: Edge) => ({
    onPointerDown: (event: React.PointerEvent<HTMLElement>) => {
      event.stopPropagation();
      event.currentTarget.setPointerCapture(event.pointerId);
    },
    onPointerMove: (event: React.PointerEvent<HTMLElement>) => {
      const track = event.currentTarget.closest(".track");
      if (event.buttons !== 1 || !track) return;
      const time_s = timeAt(event.clientX, track.getBoundingClientRect(), zoom.window);
      setDraft(moved(current, edge, time_s, clip.duration_s));
    },
    onPointerUp: () => {
      if (draft) onMove(segment, draft);
      setDraft(null);
    },
  });
  const note = clip.review?.notes[idOfDecision(segment)];
  return (
    <button
      type="button"
      className={classes.filter(Boolean).join(" ")}
      data-cy={`mmmsba-segment-${segment.id}`}
      title={description(segment, isGone ? "rejected, and no longer predicted" : note)}
      style={{ ...place(current, zoom.window), top: ROW_PX * row + 2, height: ROW_PX - 4 }}
      onPointerDown={(event) => event.stopPropagation()}
      onClick={() => onSelect(segment)}
    >
      {segment.label}
      {segment.words && <q data-cy="mmmsba-words">{segment.words}</q>}
      {note && <span data-cy="mmmsba-has-note"> ✎</span>}
      {isSelected && movable && (
        <>
          <i className="edge start" {...drag("start")} />
          <i className="edge end" {...drag("end")} />
        </>
      )}
    </button>
  );
}
