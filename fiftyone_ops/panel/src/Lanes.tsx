// The drawing: lanes above one another on one axis of time, with the player's place across all.

import React from "react";
import { AudioLane } from "./AudioLane";
import { CurveLane, ModalityLane } from "./CurveLanes";
import { Cursor } from "./Cursor";
import { Minimap } from "./Minimap";
import { Ruler } from "./Ruler";
import type { Call } from "./rpc";
import { SegmentLane } from "./SegmentLane";
import { reviewedWith } from "./segments";
import type { LanesProps } from "./Track";
import { useWheel } from "./useWheel";

export function Lanes(props: LanesProps & { call: Call }) {
  const { clip, player, draft, zoom } = props;
  const wheel = useWheel(zoom);
  const reviewed = reviewedWith(clip, draft);
  return (
    <div
      ref={wheel}
      className="lanes"
      data-cy="mmmsba-lanes"
      data-start-s={zoom.window.start_s}
      data-end-s={zoom.window.end_s}
    >
      <SegmentLane
        {...props}
        name="Predicted"
        kind="predicted"
        segments={[...clip.predicted, ...clip.rejected]}
      />
      {reviewed && <SegmentLane {...props} name="Reviewed" kind="reviewed" segments={reviewed} movable />}
      {clip.reference && (
        <SegmentLane {...props} name="Reference" kind="reference" segments={clip.reference} />
      )}
      <AudioLane {...props} />
      {clip.curves && (
        <CurveLane {...props} name="All together" scores={clip.curves.score} curves={clip.curves} />
      )}
      {clip.modalities.map((modality) => (
        <ModalityLane {...props} key={modality.name} modality={modality} />
      ))}
      <Ruler {...props} />
      {!zoom.isWhole && <Minimap {...props} />}
      <div className="over">
        <Cursor player={player} window={zoom.window} />
      </div>
    </div>
  );
}
