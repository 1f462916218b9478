// A curve of scores as the path of an SVG, in a box that is stretched to its lane.

export const BOX = { width: 1000, height: 100 };

interface Grid {
  start_s: number;
  stride_s: number;
}

/** Steps, one a cell; the line is broken where there is no score. Higher scores are higher up. */
export function stepPath(scores: readonly (number | null)[], grid: Grid, duration_s: number) {
  const across = (cell: number) => {
    const share = (grid.start_s + cell * grid.stride_s) / duration_s;
    return (BOX.width * Math.min(Math.max(share, 0), 1)).toFixed(1);
  };
  let drawing = false;
  let path = "";
  scores.forEach((score, cell) => {
    if (score !== null) {
      const down = (BOX.height * (1 - score)).toFixed(1);
      path += drawing ? `V${down}H${across(cell + 1)}` : `M${across(cell)} ${down}H${across(cell + 1)}`;
    }
    drawing = score !== null;
  });
  return path;
}
