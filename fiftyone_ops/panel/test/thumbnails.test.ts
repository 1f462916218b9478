import { expect, it } from "vitest";
import { type Moment, ThumbnailLoader } from "../src/thumbnails";
import type { Thumbnail } from "../src/types";

const moment = (sample_id: string): Moment => ({ sample_id, time_s: 1 });

/** A loader whose loadings are answered by hand, and what was asked for and shown so far. */
function setUp() {
  const loads: string[] = [];
  const shown: string[] = [];
  let answer: (thumbnail: Thumbnail) => void = () => undefined;
  let fail: (error: Error) => void = () => undefined;
  const loader = new ThumbnailLoader(({ sample_id }) => {
    loads.push(sample_id);
    return new Promise((resolve, reject) => {
      [answer, fail] = [resolve, reject];
    });
  });
  const settled = () => new Promise((resolve) => setTimeout(resolve));
  return {
    loads,
    shown,
    request: (id: string) =>
      loader.request(moment(id), ({ src, caption }) => shown.push(src ?? caption)),
    answer: async (src: string) => (answer({ src, caption: "" }), settled()),
    fail: async (message: string) => (fail(new Error(message)), settled()),
  };
}

it("loads one at a time, the latest first", async () => {
  const { loads, shown, request, answer } = setUp();
  for (const id of ["a", "b", "c"]) request(id);
  expect(loads).toEqual(["a"]);
  await answer("picture of a");
  expect(loads).toEqual(["a", "c"]);
  await answer("picture of c");
  expect([loads, shown]).toEqual([["a", "c", "b"], ["picture of a", "picture of c"]]);
});

it("loads nothing that is out of sight before its turn", async () => {
  const { loads, request, answer } = setUp();
  request("a");
  const leave = request("b");
  leave();
  await answer("picture of a");
  expect(loads).toEqual(["a"]);
});

it("loads nothing twice, but what failed", async () => {
  const { loads, shown, request, answer, fail } = setUp();
  request("a");
  await answer("picture of a");
  request("a");
  request("b");
  await fail("no connection");
  request("b");
  expect(loads).toEqual(["a", "b", "b"]);
  expect(shown).toEqual(["picture of a", "picture of a", "no connection"]);
});
