// Where the player is.

import React, { useEffect, useRef } from "react";
import { eachFrame, type Player } from "./player";
import { clock, percent } from "./timescale";
import type { Span } from "./types";

/** Moved by hand at every refresh of the screen: drawing all lanes anew would be too slow. */
export function Cursor({ player, window }: { player: Player; window: Span }) {
  const line = useRef<HTMLDivElement>(null);
  useEffect(
    () =>
      eachFrame(() => {
        const time_s = player.now();
        if (!line.current) return;
        line.current.hidden = time_s === null || time_s < window.start_s || time_s > window.end_s;
        line.current.style.left = `${percent(time_s ?? 0, window)}%`;
      }),
    [player, window],
  );
  return <div ref={line} className="cursor" data-cy="mmmsba-cursor" />;
}

/** Where the player is, in words. */
export function Time({ player, duration_s }: { player: Player; duration_s: number }) {
  const text = useRef<HTMLSpanElement>(null);
  useEffect(
    () =>
      eachFrame(() => {
        const time_s = player.now();
        const position = `${time_s === null ? "–" : clock(time_s)} / ${clock(duration_s)}`;
        if (text.current && text.current.textContent !== position) text.current.textContent = position;
      }),
    [player, duration_s],
  );
  return <span ref={text} className="time" data-cy="mmmsba-time" />;
}
