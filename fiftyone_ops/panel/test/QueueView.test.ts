import { expect, it, vi } from "vitest";
import type { QueueItem } from "../src/types";

vi.mock("@fiftyone/state", () => ({ view: {} }));
vi.mock("recoil", () => ({}));
vi.mock("react", () => ({ default: {} }));

const { toggled } = await import("../src/QueueView");

const items = ["a", "b", "c", "d"].map((sample_id) => ({ sample_id }) as QueueItem);
const toggle = (chosen: string[], id: string, from: string | null) =>
  [...toggled(items, new Set(chosen), id, from)].sort();

it("chooses a clip, and leaves it again", () => {
  expect(toggle(["a"], "c", null)).toEqual(["a", "c"]);
  expect(toggle(["a", "c"], "c", null)).toEqual(["a"]);
});

it("chooses all up to another, in both directions", () => {
  expect(toggle(["a"], "c", "a")).toEqual(["a", "b", "c"]);
  expect(toggle(["d"], "b", "d")).toEqual(["b", "c", "d"]);
  expect(toggle(["a", "b", "c", "d"], "d", "b")).toEqual(["a"]);
});
