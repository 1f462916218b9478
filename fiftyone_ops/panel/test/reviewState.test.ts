import { beforeEach, expect, it, vi } from "vitest";

let way: typeof import("../src/reviewState");
beforeEach(async () => {
  vi.resetModules();
  way = await import("../src/reviewState");
});

it("leads back the way one came, and forth again", () => {
  for (const clip of ["a", "b", "c"]) way.visit(clip);
  expect(way.visitedBeside(-1)).toBe("b");
  way.visit("b");
  expect([way.visitedBeside(-1), way.visitedBeside(1)]).toEqual(["a", "c"]);
  way.visit("b");
  way.visit("c");
  expect([way.visitedBeside(-1), way.visitedBeside(1)]).toEqual(["b", null]);
});

it("goes on from where one went back to", () => {
  for (const clip of ["a", "b", "a", "d"]) way.visit(clip);
  expect([way.visitedBeside(-1), way.visitedBeside(1)]).toEqual(["a", null]);
});

it("leads on from a clip before the first one", () => {
  for (const clip of ["b", "c", "b"]) way.visit(clip);
  way.head(-1);
  way.visit("a");
  expect([way.visitedBeside(-1), way.visitedBeside(1)]).toEqual([null, "b"]);
});
