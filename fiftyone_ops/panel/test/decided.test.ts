import { expect, it } from "vitest";
import { decidedClip } from "../src/decided";
import { candidates } from "../src/segments";
import type { Clip, Segment } from "../src/types";

const segment = (id: string, source: string | null = null): Segment => ({
  id,
  start_s: 1,
  end_s: 2,
  label: "audio",
  score: 0.9,
  source,
  words: null,
});
const CLIP = { predicted: [segment("a"), segment("b")], reviewed: null, review: null } as unknown as Clip;
const states = (clip: Clip) => candidates(clip).map(({ id, decision }) => [id, decision]);

it("accepts and rejects a prediction at once, also one after the other", () => {
  const accepted = decidedClip(CLIP, { action: "accept", label_id: "a" });
  expect(states(accepted)).toEqual([["a", "accepted"], ["b", null]]);
  expect(accepted.reviewed).toMatchObject([{ source: "a", start_s: 1, end_s: 2 }]);
  const rejected = decidedClip(accepted, { action: "reject", label_id: "a" });
  expect([states(rejected), rejected.reviewed]).toEqual([[["a", "rejected"], ["b", null]], []]);
});

it("moves and renames a prediction, and what was confirmed before", () => {
  const moved = decidedClip(CLIP, { action: "adjust", label_id: "a", end_s: 3 });
  const renamed = decidedClip(moved, { action: "relabel", label_id: "a", modality: "both" });
  expect(renamed.reviewed).toMatchObject([{ source: "a", start_s: 1, end_s: 3, label: "both" }]);
  expect(renamed.review?.num_decisions).toBe(2);
});

it("adds a segment, and removes one that was added", () => {
  const added = decidedClip(CLIP, { action: "add", modality: "visual", start_s: 5, end_s: 6 });
  expect(states(added)).toEqual([["a", null], ["b", null], ["added", "added"]]);
  expect(states(decidedClip(added, { action: "reject", label_id: "added" }))).toEqual(states(CLIP));
});

it("keeps a note, and leaves to Python what it alone can tell", () => {
  const noted = decidedClip(CLIP, { action: "note", label_id: "a", note: "lags" });
  expect(noted.review?.notes).toEqual({ a: "lags" });
  expect(decidedClip(noted, { action: "undo" })).toBe(noted);
});
