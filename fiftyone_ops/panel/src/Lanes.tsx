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
  const beside = clip.beside;
  return (
    <div className="lanes-window">
      <div
        ref={wheel}
        className="lanes"
        data-cy="mmmsba-lanes"
        data-start-s={zoom.window.start_s}
        data-end-s={zoom.window.end_s}
      >
        <SegmentLane
          {...props}
          name={beside ? clip.field : "Predicted"}
          kind="predicted"
          segments={[...clip.predicted, ...clip.rejected]}
        />
        {beside && (
          <SegmentLane {...props} name={beside.field} kind="beside" segments={beside.predicted} />
        )}
        {reviewed && <SegmentLane {...props} name="Reviewed" kind="reviewed" segments={reviewed} movable />}
        {clip.reference && (
          <SegmentLane {...props} name="Reference" kind="reference" segments={clip.reference} />
        )}
        <AudioLane {...props} />
        {clip.curves && (
          <CurveLane {...props} name="All together" scores={clip.curves.score} curves={clip.curves} />
        )}
        {beside?.curves && (
          <CurveLane
            {...props}
            clip={{ ...clip, predicted: beside.predicted, threshold: beside.threshold }}
            name={beside.field}
            note="all together"
            scores={beside.curves.score}
            curves={beside.curves}
          />
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
    </div>
  );
}
