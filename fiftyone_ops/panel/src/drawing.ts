// Places of spans on the screen, and their words.

import type { Candidate } from "./segments";
import { clock, percent } from "./timescale";
import type { Segment, Span } from "./types";
import { overlaps } from "./zoom";

export function place({ start_s, end_s }: Span, window: Span) {
  const left = percent(start_s, window);
  return { left: `${left}%`, width: `${percent(end_s, window) - left}%` };
}

export function within<T extends Span>(spans: readonly T[], window: Span): T[] {
  return spans.filter((span) => overlaps(span, window));
}

export function mark({ decision }: Candidate): string {
  return { accepted: "✓", added: "+", rejected: "✗" }[decision ?? ""] ?? "";
}

export function span({ start_s, end_s }: Span): string {
  return `${clock(start_s)} – ${clock(end_s)}`;
}

export function description(segment: Segment, note = ""): string {
  const score = segment.score === null ? "" : `, score ${segment.score.toFixed(3)}`;
  const words = segment.words ? `, “${segment.words}”` : "";
  return `${segment.label}, ${span(segment)}${score}${words}${note && `: ${note}`}`;
}

export function capital(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1).replaceAll("_", " ");
}
