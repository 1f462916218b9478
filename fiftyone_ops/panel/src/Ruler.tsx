// The axis of time: pressed, the player goes there; dragged over, a segment is added.

import React, { useState } from "react";
import { place } from "./drawing";
import { rounded, percent, ticks } from "./timescale";
import { type LanesProps, timeUnder } from "./Track";
import type { Span } from "./types";

/** Whoever moves by less has pressed, not dragged. */
const LEAST_PX = 4;

interface Drag {
  from_px: number;
  from_s: number;
  to_s: number;
  isWide: boolean;
}

export function Ruler({ player, zoom, onAdd }: LanesProps) {
  const [drag, setDrag] = useState<Drag | null>(null);
  const span = drag?.isWide ? spanOf(drag) : null;
  return (
    <div
      className="axis"
      data-cy="mmmsba-ruler"
      title="Drag to add a segment"
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        const time_s = timeUnder(event, zoom.window);
        player.seek(time_s);
        setDrag({ from_px: event.clientX, from_s: time_s, to_s: time_s, isWide: false });
      }}
      onPointerMove={(event) => {
        if (event.buttons !== 1 || !drag) return;
        const isWide = drag.isWide || Math.abs(event.clientX - drag.from_px) >= LEAST_PX;
        setDrag({ ...drag, to_s: timeUnder(event, zoom.window), isWide });
      }}
      onPointerUp={() => {
        if (span) onAdd(span);
        setDrag(null);
      }}
      onPointerCancel={() => setDrag(null)}
    >
      {ticks(zoom.window).map(({ time_s, label }, at) => {
        const left = percent(time_s, zoom.window);
        const edge = left > 97 ? "last" : at === 0 && left < 3 ? "first" : "";
        return (
          <span key={time_s} className={edge} style={{ left: `${left}%` }}>
            {label}
          </span>
        );
      })}
      {span && <i className="range" data-cy="mmmsba-range" style={place(span, zoom.window)} />}
    </div>
  );
}

function spanOf({ from_s, to_s }: Drag): Span {
  return { start_s: rounded(Math.min(from_s, to_s)), end_s: rounded(Math.max(from_s, to_s)) };
}
