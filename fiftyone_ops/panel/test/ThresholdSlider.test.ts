import { expect, it, vi } from "vitest";

vi.mock("@fiftyone/state", () => ({ view: {} }));
vi.mock("recoil", () => ({}));
vi.mock("react", () => ({ default: {} }));

const { inWords, nearest } = await import("../src/ThresholdSlider");

const TABLE = {
  thresholds: [0, 0.5, 1],
  num_clips: 4000,
  num_fake: [4000, 1200, 0],
  num_segments: [4000, 1500, 0],
  true_positives: [10, 7, 0],
  false_positives: [20, 1, 0],
  num_true_fake: 10,
  num_true_real: 20,
};

it("says what a threshold would make of the clips", () => {
  expect(inWords(TABLE, 1)).toBe(
    "1,200 of 4,000 clips fake, 1,500 segments, TPR 70.0 % of 10, FPR 5.0 % of 20",
  );
  expect(inWords({ ...TABLE, num_true_fake: 0, num_true_real: 0 }, 2)).toBe(
    "0 of 4,000 clips fake, 0 segments",
  );
});

it("says how precise its segments are, where there are some to find", () => {
  const precisions = { tiou: 0.5, average_precisions: [0.2, 0.75, null], num_clips: 30 };
  expect(inWords(TABLE, 1, precisions)).toContain("FPR 5.0 % of 20, AP@0.5 0.750 of 30");
  expect(inWords(TABLE, 2, precisions)).not.toContain("AP");
});

it("takes the step that a threshold is", () => {
  expect(nearest(TABLE.thresholds, 0.5)).toBe(1);
  expect(nearest(TABLE.thresholds, 0.51)).toBe(2);
  expect(nearest(TABLE.thresholds, 2)).toBe(2);
});
