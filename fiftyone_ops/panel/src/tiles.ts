// Tiles of audio: which are in sight, and where they lie.

import type { AudioTile, Span } from "./types";
import { lengthOf } from "./zoom";

/** As in panels/audio_data.py. */
const MIN_TILE_S = 0.25;
const MAX_TILE_S = 1024;
/** No more tiles than this and one are in sight. */
const NUM_IN_SIGHT = 4;
const FULL_SCALE = 127;

export interface TileName {
  tile_s: number;
  number: number;
}

export function tilesOf(window: Span): TileName[] {
  const power = Math.ceil(Math.log2(Math.max(lengthOf(window), 1e-3) / NUM_IN_SIGHT));
  const tile_s = Math.min(Math.max(2 ** power, MIN_TILE_S), MAX_TILE_S);
  const first = Math.floor(window.start_s / tile_s + 1e-9);
  const last = Math.ceil(window.end_s / tile_s - 1e-9);
  return Array.from({ length: Math.max(0, last - first) }, (_, at) => ({ tile_s, number: first + at }));
}

export function nameOf({ tile_s, number }: TileName): string {
  return `${tile_s}:${number}`;
}

/** Where a tile lies, also beyond the edges of the window, in percent of its width. */
export function placeOf({ start_s, end_s }: Span, window: Span) {
  const share = 100 / lengthOf(window);
  return { left: `${(start_s - window.start_s) * share}%`, width: `${(end_s - start_s) * share}%` };
}

/** The outline of a waveform, one unit a column wide and full scale 1 up and down. */
export function outline({ low, high }: AudioTile): string {
  const height = (amplitude: number) => (-amplitude / FULL_SCALE).toFixed(3);
  const there = high.map((amplitude, column) => `${column} ${height(amplitude)}`);
  const back = low.map((amplitude, column) => `${column} ${height(amplitude)}`).reverse();
  return there.length === 0 ? "" : `M${there.join("L")}L${back.join("L")}Z`;
}
