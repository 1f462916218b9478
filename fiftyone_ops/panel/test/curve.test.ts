import { expect, it } from "vitest";
import { stepPath } from "../src/curve";

const GRID = { start_s: 0, stride_s: 0.5 };

it("draws one step a cell, higher scores higher up", () => {
  expect(stepPath([0, 1], GRID, 1)).toBe("M0.0 100.0H500.0V0.0H1000.0");
});

it("leaves a gap where there is no score", () => {
  expect(stepPath([0.5, null, 0.5], GRID, 1.5)).toBe("M0.0 50.0H333.3M666.7 50.0H1000.0");
});

it("draws nothing beyond the clip's end", () => {
  expect(stepPath([0.5, 0.5], GRID, 0.75)).toBe("M0.0 50.0H666.7V50.0H1000.0");
});

it("draws nothing of nothing", () => {
  expect(stepPath([], GRID, 1)).toBe("");
  expect(stepPath([null], GRID, 1)).toBe("");
});
