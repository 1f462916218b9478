// The audio as one sees it: spectrogram above, waveform below.

import React from "react";
import { within } from "./drawing";
import type { Call } from "./rpc";
import { outline, placeOf } from "./tiles";
import { type LanesProps, Track } from "./Track";
import type { AudioTile } from "./types";
import { useAudio } from "./useAudio";

export function AudioLane(props: LanesProps & { call: Call }) {
  const { call, clip, zoom } = props;
  const { tiles, problem } = useAudio(call, clip.sample_id, zoom.window);
  const isSilent = tiles.length > 0 && tiles.every(({ spectrogram }) => spectrogram === null);
  return (
    <div className="lane audio" data-cy="mmmsba-lane-audio">
      <div className="name" title={problem ?? "Spectrogram up to 8 kHz, and waveform"}>
        Spectrogram
        <small>{problem ? "unreadable" : isSilent ? "no audio" : ""}</small>
      </div>
      <Track {...props}>
        {within(tiles, zoom.window).map((tile) => (
          <Tile key={`${tile.start_s}:${tile.end_s}`} tile={tile} style={placeOf(tile, zoom.window)} />
        ))}
      </Track>
    </div>
  );
}

const Tile = React.memo(
  ({ tile, style }: { tile: AudioTile; style: { left: string; width: string } }) => (
    <div className="tile" data-cy="mmmsba-audio-tile" data-start={tile.start_s} style={style}>
      {tile.spectrogram && <img src={tile.spectrogram} alt="" draggable={false} />}
      <svg viewBox={`0 -1 ${Math.max(1, tile.high.length - 1)} 2`} preserveAspectRatio="none">
        <path d={outline(tile)} />
      </svg>
    </div>
  ),
  (before, after) =>
    before.tile === after.tile &&
    before.style.left === after.style.left &&
    before.style.width === after.style.width,
);
