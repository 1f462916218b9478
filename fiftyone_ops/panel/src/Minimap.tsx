// All of the clip in one strip, with the part that the lanes show.

import React from "react";
import { place } from "./drawing";
import { type LanesProps, timeUnder } from "./Track";
import { whole } from "./zoom";

export function Minimap({ clip, zoom }: LanesProps) {
  const all = whole(clip.duration_s);
  const go = (event: React.PointerEvent<HTMLDivElement>) => zoom.centre(timeUnder(event, all));
  return (
    <div
      className="minimap"
      data-cy="mmmsba-minimap"
      title="All of the clip; press or drag to see another part"
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        go(event);
      }}
      onPointerMove={(event) => event.buttons === 1 && go(event)}
    >
      {clip.predicted.map((segment) => (
        <i key={segment.id} style={place(segment, all)} />
      ))}
      <b data-cy="mmmsba-minimap-window" style={place(zoom.window, all)} />
    </div>
  );
}
