import { expect, it, vi } from "vitest";
import type { Overview } from "../src/types";

vi.mock("@fiftyone/operators", () => ({}));
vi.mock("@fiftyone/spaces", () => ({}));
vi.mock("@fiftyone/state", () => ({ view: {} }));
vi.mock("recoil", () => ({}));
vi.mock("react", () => ({ default: {} }));

const { ofBar } = await import("../src/OverviewView");

it("counts the clips of a bar at once, and leaves what is not known as it was", () => {
  const bars = [5, 7].map((count, index) => ({ low: index / 2, high: (index + 1) / 2, count }));
  const overview = { num_clips: 20, num_evaluated: 12, bars, threshold: 0.5, warnings: [], tallies: [] };
  const [first, second] = bars;
  expect(ofBar(overview as Overview, second!)).toEqual({
    ...overview,
    num_clips: 7,
    num_evaluated: 7,
    bars: [{ ...first, count: 0 }, second],
  });
});
