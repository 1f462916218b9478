// The review queue: clips that wait, the most telling first, and decisions about many of them.

import React, { useMemo, useState } from "react";
import { reviewState } from "./reviewState";
import type { Call } from "./rpc";
import { ThumbnailLoader } from "./thumbnails";
import { ThumbnailView } from "./ThumbnailView";
import { clock } from "./timescale";
import type { Bulk, Queue, QueueItem, Thumbnail } from "./types";
import { useResponse } from "./useResponse";
import { clips, grouped } from "./words";

export function QueueView({ call, field }: { call: Call; field: string }) {
  const [reason, setReason] = useState("uncertain");
  const [queue, problem, reload] = useResponse<Queue>(call, "queue", field, { reason });
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const loader = useMemo(
    () => new ThumbnailLoader((moment) => call<Thumbnail>("thumbnail", { ...moment })),
    [call],
  );
  if (problem) return <div className="problem">{problem}</div>;
  if (!queue) return <p className="quiet">Looking …</p>;
  const open = (item: QueueItem) => {
    reviewState.reason = reason;
    void call("open", { sample_id: item.sample_id });
  };
  const inSight = queue.items.filter(({ sample_id }) => chosen.has(sample_id));
  return (
    <section data-cy="mmmsba-queue">
      <div className="bar">
        {queue.reasons.map(({ name, title, description, count }) => (
          <button
            key={name}
            type="button"
            title={description}
            aria-pressed={reason === name}
            data-cy={`mmmsba-reason-${name}`}
            onClick={() => {
              setReason(name);
              setChosen(new Set());
            }}
          >
            {title} <b>{grouped(count)}</b>
          </button>
        ))}
        <span className="push quiet" data-cy="mmmsba-reviewed-count">
          {grouped(queue.num_reviewed)} of {grouped(queue.num_clips)} reviewed
        </span>
        <button
          type="button"
          title="Write one page of the reviews that were ended, to hand over"
          data-cy="mmmsba-report"
          disabled={queue.num_reviewed === 0}
          onClick={() => void call("report", { field })}
        >
          Report
        </button>
      </div>
      <BulkBar
        {...{ call, field, items: queue.items, chosen: inSight, setChosen }}
        done={() => {
          setChosen(new Set());
          reload();
        }}
      />
      <QueueTable {...{ items: queue.items, chosen, setChosen, open, loader }} />
      {queue.items.length === 0 && <p className="quiet">Nothing waits to be looked at.</p>}
    </section>
  );
}

interface BulkBarProps {
  call: Call;
  field: string;
  items: readonly QueueItem[];
  chosen: readonly QueueItem[];
  setChosen(chosen: ReadonlySet<string>): void;
  done(): void;
}

/** Decisions about the chosen clips at once. */
function BulkBar({ call, field, items, chosen, setChosen, done }: BulkBarProps) {
  const usual = items.find(({ threshold }) => threshold !== null)?.threshold ?? 0.5;
  const [minimum, setMinimum] = useState<number | null>(null);
  const [message, setMessage] = useState<string | null>(null);
  const [isBusy, setBusy] = useState(false);
  const min_score = minimum ?? usual;
  const decide = async (sample_ids: readonly string[], decision: object, ofField = field) => {
    setBusy(true);
    try {
      const bulk = await call<Bulk>("decide_many", { field: ofField, sample_ids, decision });
      const left = bulk.num_left > 0 ? `; ${clips(bulk.num_left)} left as before: ${bulk.why_left}` : "";
      setMessage(`${clips(bulk.decided.length)} decided${left}`);
      done();
      return bulk;
    } catch (error) {
      setMessage((error as Error).message);
      return null;
    } finally {
      setBusy(false);
    }
  };
  const act = async (decision: { action: string; min_score?: number }) => {
    const sampleIds = chosen.map(({ sample_id }) => sample_id);
    const bulk = await decide(sampleIds, decision);
    if (bulk && bulk.decided.length > 0) {
      reviewState.bulk = { batch: bulk.batch, sampleIds: bulk.decided, field };
    }
  };
  const undo = async () => {
    const last = reviewState.bulk;
    if (!last) return;
    const bulk = await decide(last.sampleIds, { action: "undo", batch: last.batch }, last.field);
    if (bulk) {
      reviewState.bulk = null;
      setMessage(`Taken back for ${clips(bulk.decided.length)}`);
    }
  };
  const button = (action: string, words: string, description: string, ofScore = false) => (
    <button
      type="button"
      title={description}
      data-cy={`mmmsba-bulk-${action}`}
      disabled={isBusy || chosen.length === 0}
      onClick={() => void act(ofScore ? { action, min_score } : { action })}
    >
      {words}
    </button>
  );
  const reached = items.filter(({ score }) => (score ?? -1) >= min_score);
  return (
    <div className="bar" data-cy="mmmsba-bulk">
      <label title="Segments and clips from this score on">
        from score{" "}
        <input
          type="number"
          min={0}
          max={1}
          step={0.01}
          data-cy="mmmsba-bulk-score"
          value={min_score}
          onChange={(event) => setMinimum(Math.min(Math.max(event.target.valueAsNumber || 0, 0), 1))}
        />
      </label>
      <button
        type="button"
        data-cy="mmmsba-bulk-choose"
        title="Choose the clips whose score is at least this"
        onClick={() => setChosen(new Set(reached.map(({ sample_id }) => sample_id)))}
      >
        Choose {clips(reached.length)}
      </button>
      <span data-cy="mmmsba-bulk-count">
        <b>{grouped(chosen.length)}</b> chosen:
      </span>
      {button("accept", "Accept segments", "Accept their undecided segments from that score on", true)}
      {button("reject", "Reject segments", "Reject their undecided segments from that score on", true)}
      {button("finish", "Done", "Reject what is undecided in them, and end their reviews")}
      {button("cannot_tell", "Cannot tell", "Nobody can tell whether they are real")}
      {button("unreadable", "Unreadable", "Nobody can see or hear them")}
      <button
        type="button"
        title="Take the last decision about many clips back, where nothing was decided since"
        data-cy="mmmsba-bulk-undo"
        disabled={isBusy || reviewState.bulk === null}
        onClick={() => void undo()}
      >
        Undo
      </button>
      {message && (
        <span className="quiet" data-cy="mmmsba-bulk-message" role="status">
          {message}
        </span>
      )}
    </div>
  );
}

interface QueueTableProps {
  items: readonly QueueItem[];
  chosen: ReadonlySet<string>;
  setChosen(chosen: ReadonlySet<string>): void;
  open(item: QueueItem): void;
  loader: ThumbnailLoader;
}

function QueueTable({ items, chosen, setChosen, open, loader }: QueueTableProps) {
  const [last, setLast] = useState<string | null>(null);
  const isAll = items.length > 0 && items.every(({ sample_id }) => chosen.has(sample_id));
  const choose = (item: QueueItem, toHere: boolean) => {
    setChosen(toggled(items, chosen, item.sample_id, toHere ? last : null));
    setLast(item.sample_id);
  };
  return (
    <table>
      <thead>
        <tr>
          <th>
            <input
              type="checkbox"
              aria-label="Choose all"
              data-cy="mmmsba-bulk-all"
              checked={isAll}
              onChange={() => setChosen(new Set(isAll ? [] : items.map(({ sample_id }) => sample_id)))}
            />
          </th>
          <th aria-label="Frame" />
          <th>Clip</th>
          <th>Verdict</th>
          <th>Score</th>
          <th>To threshold</th>
          <th>Duration</th>
          <th>Fake from</th>
        </tr>
      </thead>
      <tbody>
        {items.map((item) => (
          <tr
            key={item.sample_id}
            tabIndex={0}
            className={chosen.has(item.sample_id) ? "selected" : ""}
            data-cy="mmmsba-queue-item"
            onClick={() => open(item)}
            onKeyDown={(event) => event.key === "Enter" && open(item)}
          >
            <td onClick={(event) => event.stopPropagation()}>
              <input
                type="checkbox"
                aria-label={`Choose ${item.name}`}
                data-cy="mmmsba-bulk-one"
                checked={chosen.has(item.sample_id)}
                onClick={(event) => choose(item, event.shiftKey)}
                onKeyDown={(event) => event.stopPropagation()}
                readOnly
              />
            </td>
            <td>
              <ThumbnailView {...{ item, loader }} />
            </td>
            <td data-cy="mmmsba-queue-name">{item.name}</td>
            <td>{item.verdict}</td>
            <td>{item.score?.toFixed(3)}</td>
            <td>{distance(item)}</td>
            <td>{item.duration_s === null ? "" : clock(item.duration_s)}</td>
            <td>{item.reason ?? starts(item)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** The chosen clips with one more or one less; from another one on, all between them too. */
export function toggled(
  items: readonly QueueItem[],
  chosen: ReadonlySet<string>,
  sampleId: string,
  from: string | null,
): ReadonlySet<string> {
  const ids = items.map(({ sample_id }) => sample_id);
  const [a, b] = [ids.indexOf(sampleId), from === null ? -1 : ids.indexOf(from)];
  const between = b < 0 ? [sampleId] : ids.slice(Math.min(a, b), Math.max(a, b) + 1);
  const next = new Set(chosen);
  for (const id of between) {
    if (chosen.has(sampleId)) next.delete(id);
    else next.add(id);
  }
  return next;
}

/** How far the score lies above the threshold, or below it. */
function distance({ score, threshold }: QueueItem): string {
  if (score === null || threshold === null) return "";
  const above = score - threshold;
  return `${above < 0 ? "−" : "+"}${Math.abs(above).toFixed(3)}`;
}

/** Starts of segments; a long list would tell no more. */
function starts({ starts_s }: QueueItem): string {
  const first = starts_s.slice(0, 4).map(clock).join(", ");
  return starts_s.length > 4 ? `${first} and ${starts_s.length - 4} more` : first;
}
