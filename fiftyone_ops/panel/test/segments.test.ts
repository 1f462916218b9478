import { expect, it } from "vitest";
import type { Clip, Segment } from "../src/types";
import {
  candidates,
  idOfDecision,
  moved,
  newSpan,
  nextLabel,
  reviewedWith,
  rowsOf,
  stepped,
} from "../src/segments";

const segment = (id: string, start_s: number, source: string | null = null): Segment => ({
  id,
  start_s,
  end_s: start_s + 1,
  label: "audio",
  score: 0.9,
  source,
  words: null,
});
const clip = (predicted: Segment[], reviewed: Segment[], decided: Record<string, string> = {}) =>
  ({ predicted, reviewed, duration_s: 10, review: { decided } }) as unknown as Clip;

it("offers what was predicted and what was added, in time order", () => {
  const offered = candidates(clip([segment("b", 4)], [segment("a", 1)]));
  expect(offered.map(({ id, decision }) => [id, decision])).toEqual([
    ["a", "added"],
    ["b", null],
  ]);
});

it("offers a prediction once, as a person left it, by its own name", () => {
  const [offered, ...others] = candidates(
    clip([segment("a", 4)], [segment("kept", 5, "a")], { a: "accepted" }),
  );
  expect(others).toEqual([]);
  expect(offered).toMatchObject({ id: "a", start_s: 5, decision: "accepted" });
  expect(idOfDecision(segment("kept", 5, "a"))).toBe("a");
});

it("keeps the words of a prediction that was confirmed", () => {
  const predicted = { ...segment("a", 4), words: "not on my watch" };
  const offered = candidates(clip([predicted], [segment("kept", 5, "a")], { a: "accepted" }));
  expect(offered).toMatchObject([{ start_s: 5, words: "not on my watch" }]);
});

it("still offers a prediction that was rejected", () => {
  const offered = candidates(clip([segment("a", 4)], [], { a: "rejected" }));
  expect(offered).toMatchObject([{ id: "a", start_s: 4, decision: "rejected" }]);
});

it("steps through segments round and round", () => {
  const all = candidates(clip([segment("a", 1), segment("b", 2)], []));
  expect(stepped(all, null, 1)?.id).toBe("a");
  expect(stepped(all, null, -1)?.id).toBe("b");
  expect(stepped(all, "b", 1)?.id).toBe("a");
  expect(stepped(all, "a", -1)?.id).toBe("b");
  expect(stepped([], null, 1)).toBeNull();
});

it("keeps a span that has a length, within the clip", () => {
  expect(moved({ start_s: 1, end_s: 2 }, "start", 5, 10)).toEqual({ start_s: 1.98, end_s: 2 });
  expect(moved({ start_s: 1, end_s: 2 }, "end", 0, 10)).toEqual({ start_s: 1, end_s: 1.02 });
  expect(moved({ start_s: 1, end_s: 2 }, "end", 99, 10)).toEqual({ start_s: 1, end_s: 10 });
  expect(newSpan(9.9, 10)).toEqual({ start_s: 9.6, end_s: 10 });
  expect(newSpan(0.1, 0.2)).toEqual({ start_s: 0, end_s: 0.2 });
});

it("goes from one modality to the next", () => {
  expect(["unknown", "audio", "visual", "both"].map(nextLabel)).toEqual([
    "audio",
    "visual",
    "both",
    "audio",
  ]);
});

it("draws segments that overlap below one another, and as few rows as that takes", () => {
  const spans = [[0, 4], [1, 2], [2, 3], [4, 5], [1.5, 4.5]] as const;
  expect(rowsOf(spans.map(([start_s, end_s]) => ({ start_s, end_s })))).toEqual([0, 1, 1, 0, 2]);
  expect(rowsOf([])).toEqual([]);
});

it("draws an edge where it is moved to, before that is stored", () => {
  const span = { start_s: 3.5, end_s: 5 };
  const kept = segment("kept", 4, "a");
  expect(reviewedWith(clip([segment("a", 4)], [kept]), { id: "a", span })).toMatchObject([
    { id: "kept", ...span },
  ]);
  // Whoever moves a prediction confirms it.
  expect(reviewedWith(clip([segment("a", 4)], []), { id: "a", span })).toMatchObject([
    { id: "a", source: "a", ...span },
  ]);
  expect(reviewedWith(clip([segment("a", 4)], [kept]), null)).toEqual([kept]);
});
