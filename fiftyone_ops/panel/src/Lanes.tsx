// The drawing: lanes above one another on one axis of time, with the player's place across all.

import React, { useEffect, useRef, useState } from "react";
import { BOX, stepPath } from "./curve";
import type { Player } from "./player";
import { type Candidate, idOfDecision, moved } from "./segments";
import { clock, percent, ticks, timeAt } from "./timescale";
import type { Clip, Curves, Modality, Segment, Span } from "./types";

interface LanesProps {
  clip: Clip;
  player: Player;
  selected: string | null;
  onSelect(segment: Segment): void;
  onMove(segment: Segment, to: Span): void;
}

export function Lanes(props: LanesProps) {
  const { clip, player } = props;
  return (
    <div className="lanes" data-cy="mmmsba-lanes">
      <SegmentLane {...props} name="Predicted" kind="predicted" segments={clip.predicted} />
      {clip.reviewed && (
        <SegmentLane {...props} name="Reviewed" kind="reviewed" segments={clip.reviewed} movable />
      )}
      {clip.reference && (
        <SegmentLane {...props} name="Reference" kind="reference" segments={clip.reference} />
      )}
      {clip.curves && (
        <CurveLane {...props} name="All together" scores={clip.curves.score} curves={clip.curves} />
      )}
      {clip.modalities.map((modality) => (
        <ModalityLane {...props} key={modality.name} modality={modality} />
      ))}
      <Axis duration_s={clip.duration_s} />
      <div className="over">
        <Cursor player={player} duration_s={clip.duration_s} />
      </div>
    </div>
  );
}

interface TrackProps {
  clip: Clip;
  player: Player;
  children: React.ReactNode;
}

/** A part of the screen that is the clip's time: pressed or dragged over, the player follows. */
function Track({ clip, player, children }: TrackProps) {
  const follow = (event: React.PointerEvent<HTMLDivElement>) =>
    player.seek(timeAt(event.clientX, event.currentTarget.getBoundingClientRect(), clip.duration_s));
  return (
    <div
      className="track"
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        follow(event);
      }}
      onPointerMove={(event) => event.buttons === 1 && follow(event)}
    >
      {children}
    </div>
  );
}

interface SegmentLaneProps extends LanesProps {
  name: string;
  kind: "predicted" | "reference" | "reviewed";
  segments: readonly Segment[];
  movable?: boolean;
}

function SegmentLane(props: SegmentLaneProps) {
  const { clip, player, name, kind, segments } = props;
  return (
    <div className={`lane ${kind === "predicted" ? "" : kind}`} data-cy={`mmmsba-lane-${kind}`}>
      <div className="name">{name}</div>
      <Track clip={clip} player={player}>
        {segments.map((segment) => (
          <SegmentBlock {...props} key={segment.id} segment={segment} />
        ))}
      </Track>
    </div>
  );
}

function SegmentBlock(props: SegmentLaneProps & { segment: Segment }) {
  const { clip, segment, kind, selected, onSelect, onMove, movable } = props;
  const [draft, setDraft] = useState<Span | null>(null);
  const current = draft ?? segment;
  const isSelected = idOfDecision(segment) === selected;
  const rejected = kind === "predicted" && clip.review?.decided[segment.id] === "rejected";
  const classes = ["segment", isSelected && "selected", rejected && "rejected"];
  const drag = (end: "start" | "end") => ({
    onPointerDown: (event: React.PointerEvent<HTMLElement>) => {
      event.stopPropagation();
      event.currentTarget.setPointerCapture(event.pointerId);
    },
    onPointerMove: (event: React.PointerEvent<HTMLElement>) => {
      const track = event.currentTarget.closest(".track");
      if (event.buttons !== 1 || !track) return;
      const time_s = timeAt(event.clientX, track.getBoundingClientRect(), clip.duration_s);
      setDraft(moved(current, end, time_s, clip.duration_s));
    },
    onPointerUp: () => {
      if (draft) onMove(segment, draft);
      setDraft(null);
    },
  });
  return (
    <button
      type="button"
      className={classes.filter(Boolean).join(" ")}
      data-cy={`mmmsba-segment-${segment.id}`}
      title={description(segment)}
      style={place(current, clip.duration_s)}
      onPointerDown={(event) => event.stopPropagation()}
      onClick={() => onSelect(segment)}
    >
      {segment.label}
      {isSelected && movable && (
        <>
          <i className="edge start" {...drag("start")} />
          <i className="edge end" {...drag("end")} />
        </>
      )}
    </button>
  );
}

function ModalityLane(props: LanesProps & { modality: Modality }) {
  const { clip, player, modality } = props;
  const scores = clip.curves?.by_modality[modality.name];
  const note = modality.score === null ? "absent" : `alone ${modality.score.toFixed(2)}`;
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
      <div className="name">
        {capital(modality.name)}
        <small>{note}</small>
      </div>
      <Track clip={clip} player={player}>
        <OptOuts clip={clip} modality={modality} />
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

function CurveLane({ clip, player, name, note, scores, curves, modality }: CurveLaneProps) {
  const path = stepPath(scores, curves, clip.duration_s);
  return (
    <div className={`lane curve ${modality ? "" : "first"}`} data-cy="mmmsba-lane-curve">
      <div className="name">
        {name}
        {note && <small>{note}</small>}
      </div>
      <Track clip={clip} player={player}>
        {clip.predicted.map((segment) => (
          <div key={segment.id} className="wash" style={place(segment, clip.duration_s)} />
        ))}
        {clip.threshold !== null && (
          <div className="limit" style={{ top: `${100 * (1 - clip.threshold)}%` }} />
        )}
        <svg viewBox={`0 0 ${BOX.width} ${BOX.height}`} preserveAspectRatio="none">
          <path d={path} />
        </svg>
        {modality && <OptOuts clip={clip} modality={modality} />}
      </Track>
    </div>
  );
}

function OptOuts({ clip, modality }: { clip: Clip; modality: Modality }) {
  return (
    <>
      {modality.opt_outs.map((part) => (
        <div
          key={part.start_s}
          className="opt-out"
          data-cy="mmmsba-opt-out"
          title={`not evaluated: ${part.reason}, ${span(part)}`}
          style={place(part, clip.duration_s)}
        >
          <span>{part.reason}</span>
        </div>
      ))}
    </>
  );
}

function Axis({ duration_s }: { duration_s: number }) {
  return (
    <div className="axis">
      {ticks(duration_s).map(({ time_s, label }) => {
        const left = percent(time_s, duration_s);
        return (
          <span key={time_s} className={left > 97 ? "last" : ""} style={{ left: `${left}%` }}>
            {label}
          </span>
        );
      })}
    </div>
  );
}

/** Moved by hand at every refresh of the screen: drawing all lanes anew would be too slow. */
function Cursor({ player, duration_s }: { player: Player; duration_s: number }) {
  const line = useRef<HTMLDivElement>(null);
  useEffect(
    () =>
      eachFrame(() => {
        const time_s = player.now();
        if (!line.current) return;
        line.current.hidden = time_s === null;
        line.current.style.left = `${percent(time_s ?? 0, duration_s)}%`;
      }),
    [player, duration_s],
  );
  return <div ref={line} className="cursor" data-cy="mmmsba-cursor" />;
}

/** Where the player is, in words. */
export function Time({ player, duration_s }: { player: Player; duration_s: number }) {
  const text = useRef<HTMLSpanElement>(null);
  useEffect(
    () =>
      eachFrame(() => {
        const time_s = player.now();
        const position = `${time_s === null ? "–" : clock(time_s)} / ${clock(duration_s)}`;
        if (text.current && text.current.textContent !== position) text.current.textContent = position;
      }),
    [player, duration_s],
  );
  return <span ref={text} className="time" data-cy="mmmsba-time" />;
}

function eachFrame(act: () => void): () => void {
  let waiting = 0;
  const turn = () => {
    act();
    waiting = requestAnimationFrame(turn);
  };
  turn();
  return () => cancelAnimationFrame(waiting);
}

function place({ start_s, end_s }: Span, duration_s: number) {
  const left = percent(start_s, duration_s);
  return { left: `${left}%`, width: `${percent(end_s, duration_s) - left}%` };
}

export function mark({ decision }: Candidate): string {
  return { accepted: "✓", added: "+", rejected: "✗" }[decision ?? ""] ?? "";
}

export function span({ start_s, end_s }: Span): string {
  return `${clock(start_s)} – ${clock(end_s)}`;
}

function description(segment: Segment): string {
  const score = segment.score === null ? "" : `, score ${segment.score.toFixed(3)}`;
  return `${segment.label}, ${span(segment)}${score}`;
}

function capital(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1).replaceAll("_", " ");
}
