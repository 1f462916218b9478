// Zoom and pan of the lanes, kept where the App makes the panel anew.

import { useEffect, useMemo, useRef, useState } from "react";
import { eachFrame, type Player } from "./player";
import type { Span } from "./types";
import { around, centred, lengthOf, panned, revealing, whole, zoomed } from "./zoom";

export interface Zoom {
  /** What is shown. */
  window: Span;
  isWhole: boolean;
  /** Show so many times as much; a time, the player's if not given, stays where it is. */
  by(factor: number, at_s?: number): void;
  /** Go on by a share of what is shown. */
  pan(share: number): void;
  centre(at_s: number): void;
  /** Show a segment, or all. */
  fit(segment: Span | null): void;
  reveal(time_s: number): void;
}

/** What was shown of which clip. */
const shown = { sampleId: "", window: null as Span | null };

export function useZoom(sampleId: string, duration_s: number, player: Player): Zoom {
  const all = useMemo(() => whole(duration_s), [duration_s]);
  const [part, setPart] = useState(shown.sampleId === sampleId ? shown.window : null);
  const latest = useRef(part);
  latest.current = part;
  const show = (window: Span) => {
    const next = lengthOf(window) >= duration_s - 1e-6 ? null : window;
    Object.assign(shown, { sampleId, window: next });
    latest.current = next;
    setPart(next);
  };
  const current = () => latest.current ?? all;
  useEffect(() => {
    if (!part) return;
    // Whoever plays sees where; whoever looks elsewhere meanwhile is not called back.
    let before_s = player.now();
    return eachFrame(() => {
      const now_s = player.now();
      const { start_s, end_s } = current();
      const left = before_s !== null && before_s >= start_s && before_s <= end_s;
      if (now_s !== null && left && player.isPlaying()) show(revealing(current(), now_s, duration_s));
      before_s = now_s;
    });
  }, [player, part]);
  return {
    window: part ?? all,
    isWhole: part === null,
    by: (factor, at_s) => {
      const now_s = player.now() ?? 0;
      const window = at_s === undefined ? revealing(current(), now_s, duration_s) : current();
      show(zoomed(window, factor, at_s ?? now_s, duration_s));
    },
    pan: (share) => show(panned(current(), share * lengthOf(current()), duration_s)),
    centre: (at_s) => show(centred(current(), at_s, duration_s)),
    fit: (segment) => show(segment ? around(segment, duration_s) : all),
    reveal: (time_s) => show(revealing(current(), time_s, duration_s)),
  };
}
