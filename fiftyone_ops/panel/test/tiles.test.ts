import { expect, it } from "vitest";
import { outline, placeOf, tilesOf } from "../src/tiles";

it.each([0.2, 2, 60, 3600])("covers a window of %d s with a few tiles", (length_s) => {
  const window = { start_s: 7.3, end_s: 7.3 + length_s };
  const tiles = tilesOf(window);
  const tile_s = tiles[0]!.tile_s;
  expect(tiles.length).toBeLessThanOrEqual(5);
  expect(tiles[0]!.number * tile_s).toBeLessThanOrEqual(window.start_s);
  expect((tiles.at(-1)!.number + 1) * tile_s).toBeGreaterThanOrEqual(window.end_s);
  expect(Number.isInteger(Math.log2(tile_s))).toBe(true);
});

it("comes by the same tiles again while one pans", () => {
  const before = tilesOf({ start_s: 0, end_s: 8 });
  const after = tilesOf({ start_s: 2.5, end_s: 10.5 });
  expect(after.slice(0, 3)).toEqual(before.slice(1));
});

it("lays a tile beyond the window's edges where it belongs", () => {
  expect(placeOf({ start_s: 0, end_s: 4 }, { start_s: 1, end_s: 3 })).toEqual({
    left: "-50%",
    width: "200%",
  });
});

it("draws the extremes of each column, and nothing without audio", () => {
  const tile = { start_s: 0, end_s: 1, spectrogram: null };
  expect(outline({ ...tile, low: [-127, 0], high: [0, 127] })).toBe(
    "M0 0.000L1 -1.000L1 0.000L0 1.000Z",
  );
  expect(outline({ ...tile, low: [], high: [] })).toBe("");
});
