// Lanes of scores along time, with what could not be evaluated.

import React, { useMemo } from "react";
import { BOX, stepPath } from "./curve";
import { capital, place, span, within } from "./drawing";
import { type LanesProps, Track } from "./Track";
import type { Curves, Modality, Span } from "./types";

export function ModalityLane(props: LanesProps & { modality: Modality }) {
  const { clip, modality } = props;
  const scores = clip.curves?.by_modality[modality.name];
  const note = modality.score === null ? "absent" : modality.score.toFixed(2);
  if (clip.curves && scores) {
    return (
      <CurveLane
        {...props}
        name={capital(modality.name)}
        note={note}
        scores={scores}
        curves={clip.curves}
        modality={modality}
      />
    );
  }
  return (
    <div className="lane">
      <div className="name" title="Score of this modality alone">
        {capital(modality.name)}
        <small>{note}</small>
      </div>
      <Track {...props}>
        <OptOuts window={props.zoom.window} modality={modality} />
      </Track>
    </div>
  );
}

interface CurveLaneProps extends LanesProps {
  name: string;
  note?: string;
  scores: readonly (number | null)[];
  curves: Curves;
  modality?: Modality;
}

export function CurveLane(props: CurveLaneProps) {
  const { clip, name, note, scores, curves, modality } = props;
  const { window } = props.zoom;
  const path = useMemo(() => stepPath(scores, curves, window), [scores, curves, window]);
  return (
    <div className={`lane curve ${modality ? "" : "first"}`} data-cy="mmmsba-lane-curve">
      <div className="name" title={modality && "Score of this modality alone"}>
        {name}
        {note && <small>{note}</small>}
      </div>
      <Track {...props}>
        {within(clip.predicted, window).map((segment) => (
          <div key={segment.id} className="wash" style={place(segment, window)} />
        ))}
        {clip.threshold !== null && (
          <div className="limit" style={{ top: `${100 * (1 - clip.threshold)}%` }} />
        )}
        <svg viewBox={`0 0 ${BOX.width} ${BOX.height}`} preserveAspectRatio="none">
          <path d={path} />
        </svg>
        {modality && <OptOuts window={props.zoom.window} modality={modality} />}
      </Track>
    </div>
  );
}

function OptOuts({ window, modality }: { window: Span; modality: Modality }) {
  return (
    <>
      {within(modality.opt_outs, window).map((part) => (
        <div
          key={part.start_s}
          className="opt-out"
          data-cy="mmmsba-opt-out"
          title={`not evaluated: ${part.reason}, ${span(part)}`}
          style={place(part, window)}
        >
          <span>{part.reason}</span>
        </div>
      ))}
    </>
  );
}
