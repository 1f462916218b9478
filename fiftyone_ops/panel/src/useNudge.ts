// An edge of a segment that is moved frame by frame: drawn at once, and stored when the hand rests.

import { useEffect, useRef, useState } from "react";
import type { Player } from "./player";
import { type Candidate, moved } from "./segments";
import type { Clip, Span } from "./types";

export type Edge = "start" | "end";

const REST_MS = 400;
const USUAL_FPS_HZ = 25;

export interface Draft {
  id: string;
  span: Span;
}

export function useNudge(
  clip: Clip,
  player: Player,
  store: (id: string, span: Span) => Promise<unknown>,
) {
  const [edge, setEdge] = useState<Edge>("start");
  const [draft, setDraft] = useState<Draft | null>(null);
  const latest = useRef<Draft | null>(null);
  const timer = useRef(0);
  const storing = useRef(store);
  storing.current = store;
  /** Store what was moved and is not stored yet; whatever is decided next is decided about that. */
  const flush = async () => {
    clearTimeout(timer.current);
    const moved = latest.current;
    latest.current = null;
    if (!moved) return;
    await storing.current(moved.id, moved.span);
    setDraft((current) => (current === moved ? null : current));
  };
  useEffect(() => () => void flush(), []);
  const take = (segment: Candidate | null, which: Edge) => {
    setEdge(which);
    if (segment) player.seek(segment[`${which}_s`]);
  };
  const nudge = (segment: Candidate | null, frames: number) => {
    if (!segment) return;
    const before = draft?.id === segment.id ? draft.span : segment;
    const time_s = before[`${edge}_s`] + frames / (clip.fps_hz ?? USUAL_FPS_HZ);
    const next = { id: segment.id, span: moved(before, edge, time_s, clip.duration_s) };
    latest.current = next;
    setDraft(next);
    player.seek(next.span[`${edge}_s`]);
    clearTimeout(timer.current);
    timer.current = window.setTimeout(() => void flush(), REST_MS);
  };
  return { edge, draft, take, nudge, flush };
}
