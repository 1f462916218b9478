// What is known of a clip as a whole: verdict, score, review, and the run that is shown.

import { Layout, useSpaces } from "@fiftyone/spaces";
import React from "react";
import { Time } from "./Cursor";
import type { Player } from "./player";
import { reviewState } from "./reviewState";
import type { Clip } from "./types";

/** The App's name for the panels of a sample's window. */
const MODAL = "fiftyone-modal-spaces";

/** What each verdict means. */
const VERDICTS: Record<string, string> = {
  fake: "The score reaches the threshold",
  "not flagged": "The score lies below the threshold, which is no proof that the clip is real",
  abstained: "There was nothing to evaluate, which says nothing about the clip",
  error: "The clip could not be evaluated, which says nothing about it",
};

interface VerdictProps {
  clip: Clip;
  player: Player;
  choose(field: string): void;
  compare(field: string | null): void;
}

export function Verdict({ clip, player, choose, compare }: VerdictProps) {
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
            <span className="quiet wide"> · threshold {clip.threshold.toFixed(3)}</span>
          )}
        </span>
      )}
      {clip.reason && <span data-cy="mmmsba-reason">{clip.reason}</span>}
      {clip.review && (
        <span className="quiet" data-cy="mmmsba-review">
          review: <b>{clip.review.label}</b>
          <span className="wide">
            , by {clip.review.by}, {clip.review.at}
          </span>
        </span>
      )}
      <span className="push quiet">
        {clip.fields.length < 2 ? <span className="wide">{clip.field}</span> : <FieldSelect {...{ clip, choose, compare }} />}
      </span>
      <Time player={player} duration_s={clip.duration_s} />
      <LayoutButton />
    </div>
  );
}

/** The runs to choose from; those that did not evaluate the clip say so. */
function FieldSelect({ clip, choose, compare }: Omit<VerdictProps, "player">) {
  const options = clip.fields.map(({ name, is_evaluated }) => (
    <option key={name} value={name}>
      {is_evaluated ? name : `${name} (not evaluated)`}
    </option>
  ));
  return (
    <>
      <select
        aria-label="Label field"
        data-cy="mmmsba-field"
        value={clip.field}
        onChange={(event) => choose(event.target.value)}
      >
        {options}
      </select>{" "}
      <label title="Another run, in lanes of its own">
        beside{" "}
        <select
          data-cy="mmmsba-beside"
          value={clip.beside?.field ?? ""}
          onChange={(event) => compare(event.target.value || null)}
        >
          <option value="">none</option>
          {options.filter(({ key }) => key !== clip.field)}
        </select>
        {clip.beside && (
          <span data-cy="mmmsba-beside-verdict">
            {" "}
            {clip.beside.verdict ?? "not evaluated"} {clip.beside.score?.toFixed(3)}
          </span>
        )}
      </label>
    </>
  );
}

/** The review that was ended last, on the clip that came after it. */
export function LastEnded({ clip, reopen }: { clip: Clip; reopen(): void }) {
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

/**
 * As one of the tabs the panel hides the player; the App can show both, if it is told to. It keeps
 * that for the windows of all datasets, so that it can be taken back.
 */
export function LayoutButton() {
  const { spaces } = useSpaces(MODAL);
  const { root } = spaces;
  const [above, below] = root.children;
  if (spaces.canSplitLayout(root)) {
    return (
      <button
        type="button"
        data-cy="mmmsba-split"
        onClick={() => spaces.splitLayout(root, Layout.Vertical)}
      >
        Show below the player
      </button>
    );
  }
  if (root.children.length !== 2 || !above || !below) return null;
  const join = () => {
    for (const panel of [...below.children]) spaces.moveNode(panel, above);
    below.remove();
    spaces.joinNode(root);
  };
  return (
    <button type="button" data-cy="mmmsba-join" title="As it was, for all datasets" onClick={join}>
      Show as a tab
    </button>
  );
}

export function NotEvaluated({ clip }: { clip: Clip }) {
  return (
    <div className="quiet">
      This clip has not been evaluated: nothing is in <b>{clip.field}</b>. Run “Detect forgeries” on it.
    </div>
  );
}
