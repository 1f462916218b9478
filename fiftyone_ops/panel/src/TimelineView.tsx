// The time line of one clip, beside the App's player: predicted segments, the dataset's reference,
// a person's decisions, and scores.

import { Layout, useSpaces } from "@fiftyone/spaces";
import { useModalMode } from "@fiftyone/state";
import React, { useEffect, useRef, useState } from "react";
import { flushSync } from "react-dom";
import { isOurs } from "./focus";
import { Help } from "./Help";
import { type Action, actionOf, HELP_KEY, keyOf, SHORTCUTS, tooltip } from "./keys";
import { Lanes, mark, span, Time } from "./Lanes";
import { type Player, usePlayer } from "./player";
import { head, reviewState, visit, visitedBeside } from "./reviewState";
import { type Call, type PanelProps, useCall } from "./rpc";
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
import type { Clip, FrameImage, Segment, Span, Step } from "./types";
import { useClip } from "./useClip";
import { Warnings } from "./Warnings";

/** The App's name for the panels of a sample's window. */
const MODAL = "fiftyone-modal-spaces";

export function TimelineView(props: PanelProps) {
  const call = useCall(props);
  const { clip, frames, problem, change } = useClip(call);
  return (
    <>
      <style>{STYLES}</style>
      {clip ? (
        <Timeline {...{ call, clip, frames, problem, change }} />
      ) : (
        <div className="mmmsba timeline" data-cy="mmmsba-timeline">
          <p className={problem ? "problem" : "quiet"}>{problem ?? "Reading the clip …"}</p>
        </div>
      )}
    </>
  );
}

/** The decisions that end a review, by the actions that take them. */
const ENDING = { finish: "finish", cannotTell: "cannot_tell", unreadable: "unreadable" } as const;

interface TimelineProps {
  call: Call;
  clip: Clip;
  frames: ReadonlyMap<string, FrameImage>;
  problem: string | null;
  change(method: string, params: Record<string, unknown>): Promise<Clip | null>;
}

function Timeline({ call, clip, frames, problem, change }: TimelineProps) {
  const player = usePlayer(clip.fps_hz, clip.zero_s);
  const [selected, setSelected] = useSelected(clip.sample_id);
  const panel = useRef<HTMLDivElement>(null);
  const [message, setMessage] = useState<string | null>(null);
  const [isHelpShown, showHelp] = useState(false);
  const segments = candidates(clip);
  useEffect(() => visit(clip.sample_id), [clip.sample_id]);
  const selectedSegment = segments.find((segment) => segment.id === selected) ?? null;

  const select = (segment: Segment | null) => {
    setSelected(segment && idOfDecision(segment));
    if (segment) player.seek(segment.start_s);
    panel.current?.focus();
  };
  const where = { sample_id: clip.sample_id, field: clip.field, reason: reviewState.reason };
  const decide = async (decision: { action: string; [param: string]: unknown }) => {
    const before = new Set(segments.map(({ id }) => id));
    const response = await change("decide", { ...where, decision });
    // What was added has a name only now.
    const added = response && candidates(response).find(({ id }) => !before.has(id));
    if (decision.action === "add" && added) setSelected(added.id);
    panel.current?.focus();
    return response;
  };
  const about = (action: string, params: (segment: Candidate) => object = () => ({})) => {
    if (selectedSegment) void decide({ action, label_id: selectedSegment.id, ...params(selectedSegment) });
  };
  const end = (action: keyof typeof ENDING) => {
    const { sample_id, name, field } = clip;
    // Kept at once: the next clip may be here before the response.
    const before = reviewState.ended;
    const ended = { sample_id, name, field };
    reviewState.ended = ended;
    void decide({ action: ENDING[action] }).then((response) => {
      if (!response && reviewState.ended === ended) reviewState.ended = before;
    });
  };
  const reopen = () => {
    const ended = reviewState.ended;
    reviewState.ended = null;
    if (ended) void call("reopen", { ...ended }).catch((error: Error) => setMessage(error.message));
  };
  const step = (by: 1 | -1) => {
    head(by);
    void call<Step>("step", { ...where, by, to: visitedBeside(by) })
      .then(({ sample_id }) => {
        if (!sample_id) setMessage(by > 0 ? "This is the last clip." : "This is the first clip.");
      })
      .catch((error: Error) => setMessage(error.message));
  };
  const canUndo = (clip.review?.num_decisions ?? 0) > 0;
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
    undo: () => (canUndo ? void decide({ action: "undo" }) : reopen()),
    finish: () => end("finish"),
    cannotTell: () => end("cannotTell"),
    unreadable: () => end("unreadable"),
    previousClip: () => step(-1),
    nextClip: () => step(1),
  };

  // Listened to on the page, since the player takes the focus whenever it loads a clip or the mouse
  // is over it, and who corrects clips has one hand on the keys.
  // The tools of the App's own annotation take most letters.
  const isAnnotating = useModalMode() === "annotate";
  const latest = useRef({ acts, isAnnotating });
  latest.current = { acts, isAnnotating };
  useEffect(() => {
    const listen = (event: KeyboardEvent) => {
      if (latest.current.isAnnotating || !isOurs(event, panel.current)) return;
      // Of the App's player the App's own help is asked for, with the same key.
      const isHelp = event.key === HELP_KEY && panel.current?.contains(event.target as Node);
      const action = actionOf(event);
      if (!action && !isHelp) return;
      event.preventDefault();
      event.stopPropagation();
      // Drawn at once, so that the next key, however soon, finds what this one chose.
      flushSync(() => (action ? latest.current.acts[action]() : showHelp((isShown) => !isShown)));
    };
    document.addEventListener("keydown", listen, { capture: true });
    return () => document.removeEventListener("keydown", listen, { capture: true });
  }, []);

  return (
    <div ref={panel} className="mmmsba timeline" tabIndex={0} data-cy="mmmsba-timeline" data-name={clip.name}>
      <Verdict {...{ clip, player }} choose={(field) => void change("load", { field })} />
      {problem && <div className="problem">{problem}</div>}
      {message && <div className="quiet" data-cy="mmmsba-message">{message}</div>}
      <LastEnded {...{ clip, reopen }} />
      {isHelpShown && <Help />}
      <Warnings texts={clip.warnings} />
      {clip.verdict === null && <NotEvaluated clip={clip} />}
      <Lanes
        {...{ clip, player, selected }}
        onSelect={select}
        onMove={(segment, to: Span) =>
          void decide({ action: "adjust", label_id: idOfDecision(segment), ...to })
        }
      />
      <Buttons
        {...{ clip, acts, selectedSegment }}
        canUndo={canUndo || reviewState.ended !== null}
        showHelp={() => showHelp(!isHelpShown)}
        relabel={(modality) => about("relabel", () => ({ modality }))}
      />
      <Cards {...{ clip, segments, frames, selected, select }} />
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

/** The span of a segment with one end where the player is. */
function withEndAtPlayer(clip: Clip, segment: Segment, end: "start" | "end", player: Player) {
  return moved(segment, end, player.now() ?? segment[`${end}_s`], clip.duration_s);
}

/** What each verdict means. */
const VERDICTS: Record<string, string> = {
  fake: "The score reaches the threshold",
  "not flagged": "The score lies below the threshold, which is no proof that the clip is real",
  abstained: "There was nothing to evaluate, which says nothing about the clip",
  error: "The clip could not be evaluated, which says nothing about it",
};

/** The words of a review that are stored otherwise. */
const REVIEWS: Record<string, string> = { forged: "fake", genuine: "real" };

interface VerdictProps {
  clip: Clip;
  player: Player;
  choose(field: string): void;
}

function Verdict({ clip, player, choose }: VerdictProps) {
  return (
    <div className="bar">
      {clip.verdict && (
        <span className={`chip ${clip.verdict}`} data-cy="mmmsba-verdict" title={VERDICTS[clip.verdict]}>
          {clip.verdict}
        </span>
      )}
      {clip.score !== null && (
        <span>
          score <b>{clip.score.toFixed(3)}</b>
          {clip.threshold !== null && (
            <span className="quiet"> · threshold {clip.threshold.toFixed(3)}</span>
          )}
        </span>
      )}
      {clip.reason && <span data-cy="mmmsba-reason">{clip.reason}</span>}
      {clip.review && (
        <span className="quiet" data-cy="mmmsba-review">
          review: <b>{REVIEWS[clip.review.label] ?? clip.review.label}</b>, by {clip.review.by}, {clip.review.at}
        </span>
      )}
      <span className="push quiet">
        {clip.fields.length < 2 ? clip.field : <FieldSelect {...{ clip, choose }} />}
      </span>
      <Time player={player} duration_s={clip.duration_s} />
      <SplitButton />
    </div>
  );
}

/** The runs to choose from; those that did not evaluate the clip say so. */
function FieldSelect({ clip, choose }: Omit<VerdictProps, "player">) {
  return (
    <select
      aria-label="Label field"
      data-cy="mmmsba-field"
      value={clip.field}
      onChange={(event) => choose(event.target.value)}
    >
      {clip.fields.map(({ name, is_evaluated }) => (
        <option key={name} value={name}>
          {is_evaluated ? name : `${name} (not evaluated)`}
        </option>
      ))}
    </select>
  );
}

/** The review that was ended last, on the clip that came after it. */
function LastEnded({ clip, reopen }: { clip: Clip; reopen(): void }) {
  const ended = reviewState.ended;
  if (!ended || ended.sample_id === clip.sample_id) return null;
  return (
    <div className="bar quiet" data-cy="mmmsba-ended">
      <span>
        The review of <b>{ended.name}</b> was ended.
      </span>
      <button type="button" data-cy="mmmsba-reopen" onClick={reopen}>
        Take that back
      </button>
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
  clip: Clip;
  acts: Record<Action, () => void>;
  selectedSegment: Candidate | null;
  canUndo: boolean;
  relabel(label: string): void;
  showHelp(): void;
}

function Buttons({ clip, acts, selectedSegment, canUndo, relabel, showHelp }: ButtonsProps) {
  // Without a score and without a segment nobody knows that a clip is real.
  const canFinish = clip.score !== null || (clip.reviewed ?? []).length > 0;
  const button = (action: Action, words: string, can = selectedSegment !== null) => (
    <button
      type="button"
      title={tooltip(action)}
      aria-keyshortcuts={SHORTCUTS[action].key}
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
      {button("previous", "‹", true)}
      {button("next", "›", true)}
      {button("accept", "Accept")}
      {button("reject", "Reject")}
      {button("start", "Start here")}
      {button("end", "End here")}
      <label title={tooltip("modality")}>
        manipulated{" "}
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
      {button("previousClip", "‹ Clip", true)}
      {button("nextClip", "Clip ›", true)}
      {button("cannotTell", "Cannot tell", true)}
      {button("unreadable", "Unreadable", true)}
      {button("finish", "Clip is done", canFinish)}
      <button type="button" title="Shortcuts (?)" aria-label="Shortcuts" data-cy="mmmsba-help-button" onClick={showHelp}>
        ?
      </button>
    </div>
  );
}

interface CardsProps {
  clip: Clip;
  segments: readonly Candidate[];
  frames: ReadonlyMap<string, FrameImage>;
  selected: string | null;
  select(segment: Candidate): void;
}

function Cards({ clip, segments, frames, selected, select }: CardsProps) {
  if (segments.length === 0) {
    const words = clip.score === null
      ? "Nothing is known of this clip: it has no score."
      : "No segment reaches the threshold.";
    return <div className="quiet" data-cy="mmmsba-no-segments">{words}</div>;
  }
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
          <Thumbnail frame={frames.get(segment.id)} isLoading={frames.size === 0} />
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

function Thumbnail({ frame, isLoading }: { frame: FrameImage | undefined; isLoading: boolean }) {
  if (frame?.src) return <img src={frame.src} alt={`Frame at ${frame.caption}`} />;
  return <span className="none" title={frame?.caption}>{isLoading ? "…" : "no frame"}</span>;
}
