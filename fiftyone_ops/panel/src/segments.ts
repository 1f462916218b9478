// Selection among segments, and the changes that a person can make to the selected one.

import { clamp, rounded } from "./timescale";
import type { Clip, Segment, Span } from "./types";

/** Modalities that can be manipulated; a key press goes to the next. */
export const LABELS = ["audio", "visual", "both"] as const;

/** A new segment is this long until its ends are set; so is the least that an end may leave. */
const NEW_S = 0.4;
const LEAST_S = 0.02;

/** A segment under the name that a person decides about it by, and what they decided. */
export interface Candidate extends Segment {
  decision: string | null;
}

/** Those a person can decide about, in time order: what was predicted, and what they added. */
export function candidates(clip: Clip): Candidate[] {
  const added = (clip.reviewed ?? []).filter((segment) => segment.source === null);
  return [
    ...clip.predicted.map((segment) => reviewed(clip, segment)),
    ...added.map((segment) => ({ ...segment, decision: "added" })),
  ].sort((a, b) => a.start_s - b.start_s);
}

/** A prediction with the span and label that a person gave it. */
function reviewed(clip: Clip, predicted: Segment): Candidate {
  const confirmed = clip.reviewed?.find((segment) => segment.source === predicted.id);
  const decision = clip.review?.decided[predicted.id] ?? null;
  const { id, score, words } = predicted;
  return { ...predicted, ...confirmed, id, score, words, decision };
}

/** The name that a person decides about a segment by: that of the prediction it came from. */
export function idOfDecision(segment: Segment): string {
  return segment.source ?? segment.id;
}

/** The reviewed segments, with the one whose edge is being moved; null where there are none. */
export function reviewedWith(clip: Clip, draft: { id: string; span: Span } | null) {
  const reviewed = clip.reviewed;
  if (!draft) return reviewed;
  if (reviewed?.some((segment) => idOfDecision(segment) === draft.id)) {
    return reviewed.map((segment) =>
      idOfDecision(segment) === draft.id ? { ...segment, ...draft.span } : segment,
    );
  }
  const predicted = clip.predicted.filter(({ id }) => id === draft.id);
  const confirmed = predicted.map((segment) => ({ ...segment, ...draft.span, source: segment.id }));
  return [...(reviewed ?? []), ...confirmed];
}

/** The segment so many places on from the selected one, round and round. */
export function stepped(segments: readonly Candidate[], selected: string | null, by: number) {
  if (segments.length === 0) return null;
  const at = segments.findIndex((segment) => segment.id === selected);
  if (at < 0) return segments[by > 0 ? 0 : segments.length - 1] ?? null;
  return segments[(at + by + segments.length) % segments.length] ?? null;
}

/** A span with one end moved; the other end stays, and the span keeps a length. */
export function moved(span: Span, end: "start" | "end", time_s: number, duration_s: number) {
  const { start_s, end_s } = span;
  return end === "start"
    ? { start_s: rounded(clamp(time_s, 0, end_s - LEAST_S)), end_s }
    : { start_s, end_s: rounded(clamp(time_s, start_s + LEAST_S, duration_s)) };
}

/** A new span from a time on, within the clip. */
export function newSpan(time_s: number, duration_s: number): Span {
  const start_s = clamp(time_s, 0, Math.max(0, duration_s - NEW_S));
  return { start_s: rounded(start_s), end_s: rounded(Math.min(start_s + NEW_S, duration_s)) };
}

export function nextLabel(label: string): string {
  const at = (LABELS as readonly string[]).indexOf(label);
  return LABELS[(at + 1) % LABELS.length] ?? "both";
}

/** Which row each segment is drawn in: those that overlap in time lie in rows of their own. */
export function rowsOf(segments: readonly Span[]): number[] {
  const ends_s: number[] = [];
  const inOrder = [...segments.keys()].sort((a, b) => segments[a]!.start_s - segments[b]!.start_s);
  const rows = new Array<number>(segments.length).fill(0);
  for (const at of inOrder) {
    const { start_s, end_s } = segments[at]!;
    const free = ends_s.findIndex((end) => end <= start_s);
    const row = free < 0 ? ends_s.length : free;
    ends_s[row] = end_s;
    rows[at] = row;
  }
  return rows;
}
