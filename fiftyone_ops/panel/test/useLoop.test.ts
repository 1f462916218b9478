import { expect, it, vi } from "vitest";

vi.mock("@fiftyone/state", () => ({ modalLooker: {} }));
vi.mock("recoil", () => ({ useRecoilValue: () => null }));
vi.mock("react", () => ({}));

const { isAtEnd } = await import("../src/useLoop");

it("goes back at the end of the segment, or just before the clip ends", () => {
  const segment = { start_s: 1, end_s: 2 };
  expect(isAtEnd(1.9, segment, 10, 25)).toBe(false);
  expect(isAtEnd(2.01, segment, 10, 25)).toBe(true);
  expect(isAtEnd(1.93, segment, 2, 25)).toBe(false);
  expect(isAtEnd(1.95, segment, 2, 25)).toBe(true);
});

it("lets whoever went elsewhere be there", () => {
  expect(isAtEnd(0.2, { start_s: 1, end_s: 2 }, 10, 25)).toBe(false);
  expect(isAtEnd(5, { start_s: 1, end_s: 2 }, 10, 25)).toBe(false);
});
