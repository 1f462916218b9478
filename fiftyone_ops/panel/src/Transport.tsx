// Controls of what is seen and played: zoom, frames, loop, speed, the edge at hand, and a note.

import React, { useEffect, useRef, useState } from "react";
import type { Action } from "./keys";
import { ActionButton } from "./Buttons";
import { eachFrame, type Player } from "./player";
import type { Candidate } from "./segments";
import type { Edge } from "./useNudge";
import type { Zoom } from "./useZoom";

export const SPEEDS = [0.25, 0.5, 0.75, 1, 1.5, 2] as const;

interface TransportProps {
  acts: Record<Action, () => void>;
  player: Player;
  zoom: Zoom;
  edge: Edge;
  isLooping: boolean;
  selectedSegment: Candidate | null;
}

export function Transport({ acts, player, zoom, edge, isLooping, selectedSegment }: TransportProps) {
  const can = selectedSegment !== null;
  return (
    <div className="bar" data-cy="mmmsba-transport">
      <ActionButton action="zoomOut" words="−" {...{ acts }} can={!zoom.isWhole} />
      <ActionButton action="zoomIn" words="+" {...{ acts }} />
      <ActionButton action="fit" words={zoom.isWhole && can ? "Segment" : "Whole clip"} {...{ acts }} can={can || !zoom.isWhole} />
      <ActionButton action="panEarlier" words="◂" {...{ acts }} can={!zoom.isWhole} />
      <ActionButton action="panLater" words="▸" {...{ acts }} can={!zoom.isWhole} />
      <FrameButton {...{ player }} by={-1} words="‹ frame" appKey="," />
      <FrameButton {...{ player }} by={1} words="frame ›" appKey="." />
      <SpeedSelect player={player} />
      <ActionButton action="loop" words="Loop" {...{ acts, can }} isPressed={isLooping} />
      <ActionButton action="edge" words={`Edge: ${edge}`} {...{ acts, can }} />
      <ActionButton action="nudgeEarlier" words="‹ edge" {...{ acts, can }} />
      <ActionButton action="nudgeLater" words="edge ›" {...{ acts, can }} />
      <ActionButton action="note" words="Note" {...{ acts, can }} />
    </div>
  );
}

/** The App's own keys do the same. */
function FrameButton(props: { player: Player; by: 1 | -1; words: string; appKey: string }) {
  const { player, by, words, appKey } = props;
  return (
    <button
      type="button"
      title={`Go ${by > 0 ? "on" : "back"} by a frame (the App’s key ${appKey})`}
      data-cy={by > 0 ? "mmmsba-frame-later" : "mmmsba-frame-earlier"}
      onClick={() => player.step(by)}
    >
      {words}
      <kbd>{appKey}</kbd>
    </button>
  );
}

/** The speed of the player, which can be changed in the App too. */
function SpeedSelect({ player }: { player: Player }) {
  const [speed, setSpeed] = useState(1);
  useEffect(() => eachFrame(() => setSpeed(player.speed())), [player]);
  const speeds = [...new Set<number>([...SPEEDS, speed])].sort((a, b) => a - b);
  return (
    <select
      aria-label="Speed of the player"
      title="Speed of the player"
      data-cy="mmmsba-speed"
      value={speed}
      onChange={(event) => player.setSpeed(Number(event.target.value))}
    >
      {speeds.map((times) => (
        <option key={times} value={times}>
          {times}×
        </option>
      ))}
    </select>
  );
}

interface NoteProps {
  segment: Candidate;
  before: string;
  save(text: string): void;
  close(): void;
}

/** A note on a segment: Enter keeps it, Escape leaves it as it was. */
export function NoteInput({ segment, before, save, close }: NoteProps) {
  const [text, setText] = useState(before);
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    input.current?.focus();
  }, [segment.id]);
  return (
    <form
      className="bar"
      onSubmit={(event) => {
        event.preventDefault();
        save(text.trim());
      }}
    >
      <input
        ref={input}
        aria-label={`Note on ${segment.label}`}
        data-cy="mmmsba-note-input"
        maxLength={1000}
        placeholder={`Note on ${segment.label}`}
        value={text}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={(event) => {
          // The App closes the clip's window with Escape.
          event.stopPropagation();
          if (event.key === "Escape") close();
        }}
      />
      <button type="submit">Keep</button>
    </form>
  );
}
