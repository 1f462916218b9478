// A curve of scores as the path of an SVG, in a box that is stretched to its lane.

import { clamp } from "./timescale";
import type { Span } from "./types";

export const BOX = { width: 1000, height: 100 };

interface Grid {
  start_s: number;
  stride_s: number;
}

/** Steps, one a cell; the line is broken where there is no score. Higher scores are higher up. */
export function stepPath(scores: readonly (number | null)[], grid: Grid, window: Span) {
  const length_s = window.end_s - window.start_s;
  const across = (cell: number) => {
    const share = (grid.start_s + cell * grid.stride_s - window.start_s) / length_s;
    return (BOX.width * clamp(share, 0, 1)).toFixed(1);
  };
  const cellAt = (time_s: number) => (time_s - grid.start_s) / grid.stride_s;
  const first = Math.max(0, Math.floor(cellAt(window.start_s)));
  const last = Math.min(scores.length, Math.ceil(cellAt(window.end_s)));
  let drawing = false;
  let path = "";
  for (let cell = first; cell < last; cell++) {
    const score = scores[cell] ?? null;
    if (score !== null) {
      const down = (BOX.height * (1 - score)).toFixed(1);
      path += drawing ? `V${down}H${across(cell + 1)}` : `M${across(cell)} ${down}H${across(cell + 1)}`;
    }
    drawing = score !== null;
  }
  return path;
}
