// The window of time that the lanes show: all of the clip, or a part of it.

import { clamp } from "./timescale";
import type { Span } from "./types";

/** No closer than this: some frames must be left to tell apart. */
const LEAST_S = 0.2;
/** Share of a window that is left free on both sides of a segment. */
const MARGIN = 0.25;

export function whole(duration_s: number): Span {
  return { start_s: 0, end_s: duration_s };
}

export function lengthOf({ start_s, end_s }: Span): number {
  return end_s - start_s;
}

/** The window that is so many times as long, with a time at the same place in it. */
export function zoomed(window: Span, factor: number, at_s: number, duration_s: number): Span {
  const before_s = lengthOf(window);
  const length_s = clamp(before_s * factor, Math.min(LEAST_S, duration_s), duration_s);
  const start_s = at_s - ((at_s - window.start_s) * length_s) / before_s;
  return startingAt(start_s, length_s, duration_s);
}

export function panned(window: Span, by_s: number, duration_s: number): Span {
  return startingAt(window.start_s + by_s, lengthOf(window), duration_s);
}

/** The window of the same length around a time. */
export function centred(window: Span, at_s: number, duration_s: number): Span {
  return panned(window, at_s - (window.start_s + window.end_s) / 2, duration_s);
}

/** The window that a segment fills, but for a margin. */
export function around(segment: Span, duration_s: number): Span {
  const margin_s = Math.max(lengthOf(segment) * MARGIN, LEAST_S / 2);
  return {
    start_s: clamp(segment.start_s - margin_s, 0, duration_s),
    end_s: clamp(segment.end_s + margin_s, 0, duration_s),
  };
}

/** The same window if it holds a time, else the one that starts there. */
export function revealing(window: Span, time_s: number, duration_s: number): Span {
  if (time_s >= window.start_s && time_s <= window.end_s) return window;
  const lead_s = MARGIN * 0.4 * lengthOf(window);
  return startingAt(time_s - lead_s, lengthOf(window), duration_s);
}

export function overlaps(a: Span, b: Span): boolean {
  return a.start_s < b.end_s && b.start_s < a.end_s;
}

function startingAt(start_s: number, length_s: number, duration_s: number): Span {
  const start = clamp(start_s, 0, Math.max(0, duration_s - length_s));
  return { start_s: start, end_s: Math.min(start + length_s, duration_s) };
}
