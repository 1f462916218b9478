// The time line of one clip, beside the App's player: predicted segments, the dataset's reference,
// a person's decisions, and scores.

import { useModalMode } from "@fiftyone/state";
import React, { useEffect, useRef, useState } from "react";
import { flushSync } from "react-dom";
import { Buttons } from "./Buttons";
import { Cards } from "./Cards";
import { Details } from "./Details";
import { isOurs } from "./focus";
import { LastEnded, LayoutButton, NotEvaluated, Verdict } from "./Header";
import { Help } from "./Help";
import { type Action, actionOf, HELP_KEY } from "./keys";
import { Lanes } from "./Lanes";
import { usePlayer } from "./player";
import { head, reviewState, visit, visitedBeside } from "./reviewState";
import { type Call, type PanelProps, useCall } from "./rpc";
import { type Candidate, candidates, idOfDecision, moved, newSpan, nextLabel, stepped } from "./segments";
import { STYLES } from "./styles";
import { NoteInput, Transport } from "./Transport";
import type { Clip, FrameImage, Segment, Span, Step } from "./types";
import { useClip } from "./useClip";
import { useLoop } from "./useLoop";
import { type Edge, useNudge } from "./useNudge";
import { useZoom } from "./useZoom";
import { Warnings } from "./Warnings";

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
          {problem && (
            <div className="bar">
              <LayoutButton />
            </div>
          )}
        </div>
      )}
    </>
  );
}

/** The decisions that end a review, by the actions that take them. */
const ENDING = { finish: "finish", cannotTell: "cannot_tell", unreadable: "unreadable" } as const;

/** How much a press of a key zooms, and which share of what is shown it pans by. */
const ZOOM = 2;
const PAN = 0.5;

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
  const [isNoting, setNoting] = useState(false);
  const zoom = useZoom(clip.sample_id, clip.duration_s, player);
  const segments = candidates(clip);
  useEffect(() => visit(clip.sample_id), [clip.sample_id]);
  const selectedSegment = segments.find((segment) => segment.id === selected) ?? null;

  const select = (segment: Segment | null) => {
    setSelected(segment && idOfDecision(segment));
    if (segment) {
      player.seek(segment.start_s);
      zoom.reveal(segment.start_s);
    }
    panel.current?.focus();
  };
  const where = { sample_id: clip.sample_id, field: clip.field, reason: reviewState.reason };
  const nudging = useNudge(clip, player, (label_id, span) =>
    change("decide", { ...where, decision: { action: "adjust", label_id, ...span } }),
  );
  const { draft, edge } = nudging;
  const spanOf = (id: string) =>
    draft?.id === id ? draft.span : segments.find((segment) => segment.id === id);
  const loop = useLoop(player, selected ? (spanOf(selected) ?? null) : null, clip.duration_s, clip.fps_hz);
  const decide = async (decision: { action: string; [param: string]: unknown }) => {
    void nudging.flush();
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
  /** Let an edge of the segment be where the player is. */
  const setEdge = (which: Edge) =>
    about("adjust", (segment) => {
      const span = spanOf(segment.id) ?? segment;
      return moved(span, which, player.now() ?? span[`${which}_s`], clip.duration_s);
    });
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
  const canUndo = draft !== null || (clip.review?.num_decisions ?? 0) > 0;
  const acts: Record<Action, () => void> = {
    next: () => select(stepped(segments, selected, 1)),
    previous: () => select(stepped(segments, selected, -1)),
    accept: () => about("accept"),
    reject: () => about("reject"),
    start: () => setEdge("start"),
    end: () => setEdge("end"),
    modality: () => about("relabel", ({ label }) => ({ modality: nextLabel(label) })),
    add: () =>
      void decide({ action: "add", modality: "both", ...newSpan(player.now() ?? 0, clip.duration_s) }),
    undo: () => (canUndo ? void decide({ action: "undo" }) : reopen()),
    finish: () => end("finish"),
    cannotTell: () => end("cannotTell"),
    unreadable: () => end("unreadable"),
    previousClip: () => step(-1),
    nextClip: () => step(1),
    zoomIn: () => zoom.by(1 / ZOOM),
    zoomOut: () => zoom.by(ZOOM),
    fit: () => zoom.fit(zoom.isWhole ? selectedSegment : null),
    panEarlier: () => zoom.pan(-PAN),
    panLater: () => zoom.pan(PAN),
    loop: loop.toggle,
    edge: () => nudging.take(selectedSegment, edge === "start" ? "end" : "start"),
    nudgeEarlier: () => nudging.nudge(selectedSegment, -1),
    nudgeLater: () => nudging.nudge(selectedSegment, 1),
    note: () => setNoting(selectedSegment !== null && !isNoting),
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
      <Verdict
        {...{ clip, player }}
        choose={(field) => void change("load", { field })}
        compare={(beside) => {
          reviewState.beside = beside;
          void change("load", { field: clip.field });
        }}
      />
      {problem && <div className="problem">{problem}</div>}
      {message && <div className="quiet" data-cy="mmmsba-message">{message}</div>}
      <LastEnded {...{ clip, reopen }} />
      {isHelpShown && <Help />}
      <Warnings texts={clip.warnings} />
      {clip.verdict === null && <NotEvaluated clip={clip} />}
      <Lanes
        {...{ call, clip, player, zoom, selected, draft }}
        onSelect={select}
        onAdd={(span) => void decide({ action: "add", modality: "both", ...span })}
        onMove={(segment, to: Span) =>
          void decide({ action: "adjust", label_id: idOfDecision(segment), ...to })
        }
      />
      <Transport {...{ acts, player, zoom, edge, selectedSegment }} isLooping={loop.isOn} />
      {isNoting && selectedSegment && (
        <NoteInput
          key={selectedSegment.id}
          segment={selectedSegment}
          before={clip.review?.notes[selectedSegment.id] ?? ""}
          save={(note) => {
            setNoting(false);
            about("note", () => ({ note }));
          }}
          close={() => {
            setNoting(false);
            panel.current?.focus();
          }}
        />
      )}
      <Buttons
        {...{ clip, acts, selectedSegment }}
        canUndo={canUndo || reviewState.ended !== null}
        showHelp={() => showHelp(!isHelpShown)}
        relabel={(modality) => about("relabel", () => ({ modality }))}
      />
      <Cards {...{ clip, segments, frames, selected, select }}>
        {selectedSegment && <Details {...{ call, clip }} segment={selectedSegment} />}
      </Cards>
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
