// The time line of one clip, beside the App's player: predicted segments, the dataset's reference,
// a person's decisions, and scores.

import { Layout, useSpaces } from "@fiftyone/spaces";
import React, { useEffect, useRef, useState } from "react";
import { flushSync } from "react-dom";
import { type Action, actionOf, keyOf } from "./keys";
import { Lanes, mark, span, Time } from "./Lanes";
import { type Player, usePlayer } from "./player";
import { reviewState } from "./reviewState";
import { type PanelProps, useCall } from "./rpc";
import {
  type Candidate,
  candidates,
  idOfDecision,
  newSpan,
  LABELS,
  moved,
  nextLabel,
  stepped,
} from "./segments";
import { STYLES } from "./styles";
import type { Clip, FrameImage, Segment, Span } from "./types";
import { useClip } from "./useClip";

/** The App's name for the panels of a sample's window. */
const MODAL = "fiftyone-modal-spaces";

export function TimelineView(props: PanelProps) {
  const call = useCall(props);
  const { clip, frames, problem, change } = useClip(call);
  return (
    <>
      <style>{STYLES}</style>
      {clip ? (
        <Timeline {...{ clip, frames, problem, change }} />
      ) : (
        <div className="mmmsba timeline" data-cy="mmmsba-timeline">
          <p className={problem ? "problem" : "quiet"}>{problem ?? "Reading the clip …"}</p>
        </div>
      )}
    </>
  );
}

interface TimelineProps {
  clip: Clip;
  frames: ReadonlyMap<string, FrameImage>;
  problem: string | null;
  change(method: string, params: Record<string, unknown>): Promise<Clip | null>;
}

function Timeline({ clip, frames, problem, change }: TimelineProps) {
  const player = usePlayer(clip.fps_hz, clip.zero_s);
  const [selected, setSelected] = useSelected(clip.sample_id);
  const panel = useRef<HTMLDivElement>(null);
  const segments = candidates(clip);
  const selectedSegment = segments.find((segment) => segment.id === selected) ?? null;

  const select = (segment: Segment | null) => {
    setSelected(segment && idOfDecision(segment));
    if (segment) player.seek(segment.start_s);
    panel.current?.focus();
  };
  const decide = async (decision: { action: string; [param: string]: unknown }) => {
    const before = new Set(segments.map(({ id }) => id));
    const response = await change("decide", { field: clip.field, decision, ...reviewState });
    // What was added has a name only now.
    const added = response && candidates(response).find(({ id }) => !before.has(id));
    if (decision.action === "add" && added) setSelected(added.id);
    panel.current?.focus();
  };
  const about = (action: string, params: (segment: Candidate) => object = () => ({})) => {
    if (selectedSegment) void decide({ action, label_id: selectedSegment.id, ...params(selectedSegment) });
  };
  const acts: Record<Action, () => void> = {
    next: () => select(stepped(segments, selected, 1)),
    previous: () => select(stepped(segments, selected, -1)),
    accept: () => about("accept"),
    reject: () => about("reject"),
    start: () => about("adjust", (segment) => withEndAtPlayer(clip, segment, "start", player)),
    end: () => about("adjust", (segment) => withEndAtPlayer(clip, segment, "end", player)),
    modality: () => about("relabel", ({ label }) => ({ modality: nextLabel(label) })),
    add: () =>
      void decide({ action: "add", modality: "both", ...newSpan(player.now() ?? 0, clip.duration_s) }),
    undo: () => void decide({ action: "undo" }),
    finish: () => void decide({ action: "finish" }),
  };

  // Of the whole page, and before the App's own: the player takes the focus whenever it loads a
  // clip or the mouse is over it, and who corrects clips has one hand on the keys.
  const latest = useRef(acts);
  latest.current = acts;
  useEffect(() => {
    const listen = (event: KeyboardEvent) => {
      const action = isTyping(event.target) ? null : actionOf(event);
      // A button that has the focus is pressed with Enter.
      if (!action || (action === "finish" && event.target instanceof HTMLButtonElement)) return;
      event.preventDefault();
      event.stopPropagation();
      // Drawn at once, so that the next key, however soon, finds what this one chose.
      flushSync(() => latest.current[action]());
    };
    document.addEventListener("keydown", listen, { capture: true });
    return () => document.removeEventListener("keydown", listen, { capture: true });
  }, []);

  return (
    <div ref={panel} className="mmmsba timeline" tabIndex={0} data-cy="mmmsba-timeline" data-name={clip.name}>
      <Verdict clip={clip} player={player} />
      {problem && <div className="problem">{problem}</div>}
      {clip.verdict === null && <NotEvaluated clip={clip} />}
      <Lanes
        {...{ clip, player, selected }}
        onSelect={select}
        onMove={(segment, to: Span) =>
          void decide({ action: "adjust", label_id: idOfDecision(segment), ...to })
        }
      />
      <Buttons
        {...{ acts, selectedSegment }}
        canUndo={(clip.review?.num_decisions ?? 0) > 0}
        relabel={(modality) => about("relabel", () => ({ modality }))}
      />
      <Cards {...{ segments, frames, selected, select }} />
    </div>
  );
}

/** The selection, kept where the App makes the panel anew, as when panels are moved. */
const selection = { sampleId: "", segment: null as string | null };

function useSelected(sampleId: string) {
  const [selected, setSelected] = useState(
    selection.sampleId === sampleId ? selection.segment : null,
  );
  const select = (segment: string | null) => {
    Object.assign(selection, { sampleId, segment });
    setSelected(segment);
  };
  return [selected, select] as const;
}

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || target.matches("input, textarea, select"))
  );
}

/** The span of a segment with one end where the player is. */
function withEndAtPlayer(clip: Clip, segment: Segment, end: "start" | "end", player: Player) {
  return moved(segment, end, player.now() ?? segment[`${end}_s`], clip.duration_s);
}

function Verdict({ clip, player }: { clip: Clip; player: Player }) {
  return (
    <div className="bar">
      {clip.verdict && <span className={`chip ${clip.verdict}`}>{clip.verdict}</span>}
      {clip.score !== null && (
        <span>
          score <b>{clip.score.toFixed(3)}</b>
          {clip.threshold !== null && (
            <span className="quiet"> · threshold {clip.threshold.toFixed(3)}</span>
          )}
        </span>
      )}
      {clip.reason && <span className="quiet">{clip.reason}</span>}
      {clip.review && (
        <span className="quiet" data-cy="mmmsba-review">
          review: <b>{clip.review.label}</b>, by {clip.review.by}, {clip.review.at}
        </span>
      )}
      <span className="push quiet">{clip.field}</span>
      <Time player={player} duration_s={clip.duration_s} />
      <SplitButton />
    </div>
  );
}

/** As one of the tabs the panel hides the player; the App can show both, if it is told to. */
function SplitButton() {
  const { spaces } = useSpaces(MODAL);
  if (!spaces.canSplitLayout(spaces.root)) return null;
  return (
    <button
      type="button"
      data-cy="mmmsba-split"
      onClick={() => spaces.splitLayout(spaces.root, Layout.Vertical)}
    >
      Show below the player
    </button>
  );
}

function NotEvaluated({ clip }: { clip: Clip }) {
  return (
    <div className="quiet">
      This clip has not been evaluated: nothing is in <b>{clip.field}</b>. Run “Detect forgeries” on it.
    </div>
  );
}

interface ButtonsProps {
  acts: Record<Action, () => void>;
  selectedSegment: Candidate | null;
  canUndo: boolean;
  relabel(label: string): void;
}

function Buttons({ acts, selectedSegment, canUndo, relabel }: ButtonsProps) {
  const button = (action: Action, words: string, can = selectedSegment !== null, title = words) => (
    <button
      type="button"
      title={title}
      data-cy={`mmmsba-${action}`}
      disabled={!can}
      onClick={acts[action]}
    >
      {words}
      <kbd>{keyOf(action)}</kbd>
    </button>
  );
  return (
    <div className="bar" data-cy="mmmsba-buttons">
      {button("previous", "‹", true, "Previous segment")}
      {button("next", "›", true, "Next segment")}
      {button("accept", "Accept")}
      {button("reject", "Reject")}
      {button("start", "Start here")}
      {button("end", "End here")}
      <label>
        altered{" "}
        <select
          data-cy="mmmsba-label"
          disabled={!selectedSegment}
          value={selectedSegment?.label ?? ""}
          onChange={(event) => relabel(event.target.value)}
        >
          {[...new Set([selectedSegment?.label ?? "", ...LABELS])].map((label) => (
            <option key={label}>{label}</option>
          ))}
        </select>
        <kbd>{keyOf("modality")}</kbd>
      </label>
      {button("undo", "Undo", canUndo)}
      {button("add", "Add here", true)}
      <span className="push" />
      {button("finish", "Clip is done", true, "Reject what is undecided, and go on to the next clip")}
    </div>
  );
}

interface CardsProps {
  segments: readonly Candidate[];
  frames: ReadonlyMap<string, FrameImage>;
  selected: string | null;
  select(segment: Candidate): void;
}

function Cards({ segments, frames, selected, select }: CardsProps) {
  if (segments.length === 0) return <div className="quiet">No segment stands out as fake.</div>;
  return (
    <div className="cards">
      {segments.map((segment) => (
        <button
          key={segment.id}
          type="button"
          className={`card ${segment.id === selected ? "selected" : ""}`}
          data-cy="mmmsba-card"
          onClick={() => select(segment)}
        >
          <Thumbnail frame={frames.get(segment.id)} />
          <span>
            {mark(segment)} <b>{segment.label}</b>
            <small>{span(segment)}</small>
            <small>
              {segment.score === null ? "" : `score ${segment.score.toFixed(3)}`} {segment.decision}
            </small>
          </span>
        </button>
      ))}
    </div>
  );
}

function Thumbnail({ frame }: { frame: FrameImage | undefined }) {
  if (frame?.src) return <img src={frame.src} alt={`Frame at ${frame.caption}`} />;
  return <span className="none" title={frame?.caption}>{frame ? "no frame" : "…"}</span>;
}
