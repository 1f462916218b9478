import { expect, it, vi } from "vitest";
import type { GroupCounts } from "../src/types";

vi.mock("@fiftyone/state", () => ({ view: {} }));
vi.mock("recoil", () => ({}));
vi.mock("react", () => ({ default: {} }));

const { cells } = await import("../src/StatisticsView");

const group: GroupCounts = {
  value: "a",
  num_clips: 1200,
  num_evaluated: 1000,
  num_fake: 250,
  num_true_fake: 40,
  num_true_real: 0,
  true_positives: 30,
  false_positives: 0,
};

it("says of each share what it is of, and of nothing nothing", () => {
  expect(cells(group, true)).toEqual(["1,200", "200", "25.0 % of 1,000", "75.0 % of 40", ""]);
  expect(cells(group, false)).toEqual(["1,200", "200", "25.0 % of 1,000"]);
});
