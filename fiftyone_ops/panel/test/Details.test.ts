import { expect, it, vi } from "vitest";

vi.mock("@fiftyone/state", () => ({ view: {} }));
vi.mock("recoil", () => ({}));
vi.mock("react", () => ({ default: {} }));

const { scoreRows } = await import("../src/Details");

it("names scores as their lanes are named, and says where there is none", () => {
  expect(scoreRows({ "all together": 0.75, lips: 0.25, audio: null })).toEqual([
    ["All together", "0.750"],
    ["Lips", "0.250"],
    ["Audio", "–"],
  ]);
});
