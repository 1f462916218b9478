import { expect, it } from "vitest";
import { stepPath } from "../src/curve";
import { whole } from "../src/zoom";

const GRID = { start_s: 0, stride_s: 0.5 };

it("draws one step a cell, higher scores higher up", () => {
  expect(stepPath([0, 1], GRID, whole(1))).toBe("M0.0 100.0H500.0V0.0H1000.0");
});

it("leaves a gap where there is no score", () => {
  expect(stepPath([0.5, null, 0.5], GRID, whole(1.5))).toBe("M0.0 50.0H333.3M666.7 50.0H1000.0");
});

it("draws nothing beyond the clip's end", () => {
  expect(stepPath([0.5, 0.5], GRID, whole(0.75))).toBe("M0.0 50.0H666.7V50.0H1000.0");
});

it("draws nothing of nothing", () => {
  expect(stepPath([], GRID, whole(1))).toBe("");
  expect(stepPath([null], GRID, whole(1))).toBe("");
});

it("draws no more than the window that is shown", () => {
  const window = { start_s: 0.5, end_s: 1.5 };
  expect(stepPath([0, 0.5, 1, 0], GRID, window)).toBe("M0.0 50.0H500.0V0.0H1000.0");
});
