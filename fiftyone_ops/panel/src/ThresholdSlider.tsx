// A threshold that is tried on stored scores: its table move with it, and nothing is written
// until it is applied.

import React, { useState } from "react";
import type { Call } from "./rpc";
import type { Applied, Precisions, ThresholdTable } from "./types";
import { useResponse } from "./useResponse";
import { clips, grouped } from "./words";

interface ThresholdSliderProps {
  call: Call;
  field: string;
  /** The threshold that is tried, if one is. */
  line: number | null;
  setLine(line: number | null): void;
  stored: number | null;
  applied(): void;
}

export function ThresholdSlider(props: ThresholdSliderProps) {
  const { call, field, line, setLine, stored, applied } = props;
  const [table, problem] = useResponse<ThresholdTable>(call, "thresholds", field);
  // Of many clips that takes longer, and the rest does not wait for it.
  const [precisions] = useResponse<Precisions>(call, "precisions", field);
  const [message, setMessage] = useState<string | null>(null);
  const [isBusy, setBusy] = useState(false);
  if (problem) return <div className="problem">{problem}</div>;
  if (!table) return <p className="quiet">Reading the scores …</p>;
  const at = nearest(table.thresholds, line ?? stored ?? 0.5);
  const apply = async (threshold: number) => {
    setBusy(true);
    setMessage("Writing …");
    try {
      setMessage((await call<Applied>("apply", { field, threshold })).summary);
      setLine(null);
      applied();
    } catch (error) {
      setMessage((error as Error).message);
    } finally {
      setBusy(false);
    }
  };
  return (
    <div data-cy="mmmsba-threshold">
      <input
        type="range"
        aria-label="Threshold"
        title="Try another threshold on the stored scores"
        data-cy="mmmsba-threshold-slider"
        min={1}
        max={table.thresholds.length - 1}
        value={at}
        onChange={(event) => setLine(table.thresholds[event.target.valueAsNumber] ?? null)}
      />
      <div className="bar">
        <span data-cy="mmmsba-threshold-figures" role="status">
          {line === null ? "Now" : <b>At {line.toFixed(3)}</b>}: {inWords(table, at, precisions)}
        </span>
        {line !== null && (
          <>
            <button
              type="button"
              data-cy="mmmsba-threshold-apply"
              title="Write verdicts and segments of the clips in view at this threshold; no network runs"
              disabled={isBusy}
              onClick={() => void apply(line)}
            >
              Apply to {clips(table.num_clips)}
            </button>
            <button type="button" data-cy="mmmsba-threshold-leave" onClick={() => setLine(null)}>
              Leave as it was
            </button>
          </>
        )}
        {message && (
          <span className="quiet" data-cy="mmmsba-threshold-message" role="status">
            {message}
          </span>
        )}
      </div>
    </div>
  );
}

export function nearest(thresholds: readonly number[], value: number): number {
  // A little above a step is that step, for rounding.
  const behind = thresholds.findIndex((threshold) => threshold >= value - 1e-6);
  return behind < 0 ? thresholds.length - 1 : behind;
}

export function inWords(table: ThresholdTable, at: number, precisions: Precisions | null = null): string {
  const rate = (count: number | undefined, of: number) => ((100 * (count ?? 0)) / of).toFixed(1);
  const { num_true_fake, num_true_real } = table;
  return [
    `${grouped(table.num_fake[at] ?? 0)} of ${clips(table.num_clips)} fake`,
    `${grouped(table.num_segments[at] ?? 0)} segments`,
    ...(num_true_fake > 0
      ? [`TPR ${rate(table.true_positives[at], num_true_fake)} % of ${grouped(num_true_fake)}`]
      : []),
    ...(num_true_real > 0
      ? [`FPR ${rate(table.false_positives[at], num_true_real)} % of ${grouped(num_true_real)}`]
      : []),
    ...precisionInWords(precisions, at),
  ].join(", ");
}

/** The average precision at a threshold, where there is a segment to find. */
function precisionInWords(precisions: Precisions | null, at: number): string[] {
  const value = precisions?.average_precisions[at];
  if (!precisions || value === null || value === undefined) return [];
  return [`AP@${precisions.tiou} ${value.toFixed(3)} of ${grouped(precisions.num_clips)}`];
}
