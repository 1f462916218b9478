// A part of the screen that is the clip's time.

import React from "react";
import type { Player } from "./player";
import { timeAt } from "./timescale";
import type { Clip, Segment, Span } from "./types";
import type { Draft } from "./useNudge";
import type { Zoom } from "./useZoom";

export interface LanesProps {
  clip: Clip;
  player: Player;
  zoom: Zoom;
  selected: string | null;
  /** A segment whose moved edge is not stored yet. */
  draft: Draft | null;
  onSelect(segment: Segment): void;
  onMove(segment: Segment, to: Span): void;
  onAdd(span: Span): void;
}

interface TrackProps {
  player: Player;
  zoom: Zoom;
  children: React.ReactNode;
}

/** The time under the pointer, on whatever it was pressed on. */
export function timeUnder(event: React.PointerEvent<HTMLElement>, window: Span): number {
  return timeAt(event.clientX, event.currentTarget.getBoundingClientRect(), window);
}

/** Pressed or dragged over, the player follows. */
export function Track({ player, zoom, children }: TrackProps) {
  return (
    <div
      className="track"
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        player.seek(timeUnder(event, zoom.window));
      }}
      onPointerMove={(event) => event.buttons === 1 && player.seek(timeUnder(event, zoom.window))}
    >
      {children}
    </div>
  );
}
