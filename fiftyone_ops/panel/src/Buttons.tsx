// Decisions about segments and about the clip, each with its key.

import React from "react";
import { type Action, keyOf, SHORTCUTS, tooltip } from "./keys";
import { type Candidate, LABELS } from "./segments";
import type { Clip } from "./types";

interface ActionButtonProps {
  action: Action;
  words: string;
  acts: Record<Action, () => void>;
  can?: boolean;
  isPressed?: boolean;
}

export function ActionButton({ action, words, acts, can = true, isPressed }: ActionButtonProps) {
  return (
    <button
      type="button"
      title={tooltip(action)}
      aria-keyshortcuts={SHORTCUTS[action].key}
      aria-pressed={isPressed}
      data-cy={`mmmsba-${action}`}
      disabled={!can}
      onClick={acts[action]}
    >
      {words}
      <kbd>{keyOf(action)}</kbd>
    </button>
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

export function Buttons({ clip, acts, selectedSegment, canUndo, relabel, showHelp }: ButtonsProps) {
  // Without a score and without a segment nobody knows that a clip is real.
  const canFinish = clip.score !== null || (clip.reviewed ?? []).length > 0;
  const button = (action: Action, words: string, can = selectedSegment !== null) => (
    <ActionButton {...{ action, words, acts, can }} />
  );
  return (
    <div className="bar" data-cy="mmmsba-buttons">
      {button("previous", "‹", true)}
      {button("next", "›", true)}
      {button("accept", "Accept")}
      {button("reject", "Reject")}
      {button("start", "Start")}
      {button("end", "End")}
      <label title={tooltip("modality")}>
        <select
          aria-label="Manipulated modality"
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
      {button("add", "Add", true)}
      <span className="push" />
      {button("previousClip", "‹ Clip", true)}
      {button("nextClip", "Clip ›", true)}
      {button("cannotTell", "Cannot tell", true)}
      {button("unreadable", "Unreadable", true)}
      {button("finish", "Done", canFinish)}
      <button type="button" title="Shortcuts (?)" aria-label="Shortcuts" data-cy="mmmsba-help-button" onClick={showHelp}>
        ?
      </button>
    </div>
  );
}
