// The overview of a dataset: the histogram of scores, counts of clips of each kind, and the review
// queue. Whatever is clicked becomes the view.

import { view } from "@fiftyone/state";
import React, { useCallback, useEffect, useState } from "react";
import { useRecoilValue } from "recoil";
import { reviewState } from "./reviewState";
import { type Call, type PanelProps, useCall } from "./rpc";
import { STYLES } from "./styles";
import { clock } from "./timescale";
import type { Bar, Overview, Queue, QueueItem, Summary, Tally } from "./types";
import { Warnings } from "./Warnings";

type Tab = "scores" | "queue";
type Show = (params: Record<string, unknown>) => void;

export function OverviewView(props: PanelProps) {
  const call = useCall(props);
  const [tab, setTab] = useState<Tab>("scores");
  const [field, setField] = useState<string | null>(null);
  const [summary, problem, reload] = useResponse<Summary>(call, "summary", field);
  const show: Show = (params) => void call("show", { field, ...params });
  return (
    <div className="mmmsba" data-cy="mmmsba-overview">
      <style>{STYLES}</style>
      <div className="bar">
        <TabButton is="scores" {...{ tab, setTab }} text="Scores" />
        <TabButton is="queue" {...{ tab, setTab }} text="Review queue" />
        {summary && summary.fields.length > 0 && (
          <select value={summary.field ?? ""} onChange={(event) => setField(event.target.value)}>
            {summary.fields.map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        )}
        <span className="push" />
        <button type="button" data-cy="mmmsba-all" onClick={() => show({ kind: "all" })}>
          Show all clips
        </button>
        <button type="button" onClick={reload} title="Count again">
          ⟳
        </button>
      </div>
      {problem && <div className="problem">{problem}</div>}
      {!summary && !problem && <p className="quiet">Counting …</p>}
      {summary?.field === null && (
        <p className="quiet">No clip has been evaluated yet. Run “Detect forgeries” first.</p>
      )}
      {summary?.overview && tab === "scores" && <Scores overview={summary.overview} show={show} />}
      {summary?.field && tab === "queue" && <QueueTable call={call} field={summary.field} />}
    </div>
  );
}

/** The response of a method about a field, loaded anew whenever the App's view changes. */
function useResponse<T>(call: Call, method: string, field: string | null, more?: object) {
  const stages = useRecoilValue(view);
  const [response, setResponse] = useState<T | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [numLoads, setNumLoads] = useState(0);
  const key = JSON.stringify([field, stages, more]);
  useEffect(() => {
    let late = false;
    call<T>(method, { field, ...more })
      .then((latest) => {
        if (late) return;
        setResponse(latest);
        setProblem(null);
      })
      .catch((error: Error) => !late && setProblem(error.message));
    return () => {
      late = true;
    };
  }, [call, method, key, numLoads]);
  const again = useCallback(() => setNumLoads((count) => count + 1), []);
  return [response, problem, again] as const;
}

interface TabButtonProps {
  is: Tab;
  text: string;
  tab: Tab;
  setTab(tab: Tab): void;
}

function TabButton({ is, text, tab, setTab }: TabButtonProps) {
  return (
    <button
      type="button"
      data-cy={`mmmsba-tab-${is}`}
      aria-pressed={tab === is}
      onClick={() => setTab(is)}
    >
      {text}
    </button>
  );
}

function grouped(count: number): string {
  return count.toLocaleString("en");
}

function clips(count: number): string {
  return `${grouped(count)} clip${count === 1 ? "" : "s"}`;
}

/** A count in as little room as a bar has. */
function short(count: number): string {
  if (count < 1000) return String(count);
  const [unit, letter] = count < 999_500 ? [1000, "k"] : [1_000_000, "M"];
  return `${Number((count / (unit as number)).toPrecision(2))}${letter}`;
}

function Scores({ overview, show }: { overview: Overview; show: Show }) {
  return (
    <div className="columns">
      <section>
        <h2>
          P(fake) of {clips(overview.num_evaluated)}
          {overview.num_evaluated < overview.num_clips &&
            `, ${grouped(overview.num_clips - overview.num_evaluated)} more without a score`}
        </h2>
        <Warnings texts={overview.warnings.map(({ text, count }) => `${text} (${clips(count)})`)} />
        <Histogram {...{ overview, show }} />
        <div className="scale">
          <span>0</span>
          <span>P(fake)</span>
          <span>1</span>
        </div>
        <p className="quiet">
          Click a bar to see its clips.
          {overview.threshold !== null && ` The dashed line is the threshold, ${overview.threshold.toFixed(3)}.`}
        </p>
      </section>
      <section>
        {overview.tallies.map((tally) => (
          <Counts key={tally.kind} {...{ tally, show }} />
        ))}
      </section>
    </div>
  );
}

function Histogram({ overview: { bars, threshold }, show }: { overview: Overview; show: Show }) {
  const highest = Math.max(1, ...bars.map((bar) => bar.count));
  const describe = ({ low, high, count }: Bar) =>
    `${clips(count)} with a score from ${low.toFixed(2)} to ${high.toFixed(2)}`;
  return (
    <div className="histogram" data-cy="mmmsba-histogram">
      {bars.map((bar) => (
        <button
          key={bar.low}
          type="button"
          className={threshold !== null && bar.low >= threshold - 1e-9 ? "fake" : ""}
          data-cy="mmmsba-bar"
          data-count={bar.count}
          disabled={bar.count === 0}
          title={describe(bar)}
          aria-label={describe(bar)}
          onClick={() => show({ kind: "score", value: bar.low })}
        >
          {bar.count > 0 && <small>{short(bar.count)}</small>}
          <i style={{ height: `${(92 * bar.count) / highest}%` }} />
        </button>
      ))}
      {threshold !== null && (
        <div className="limit" style={{ left: `${100 * threshold}%` }}>
          <b>{threshold.toFixed(2)}</b>
        </div>
      )}
    </div>
  );
}

function Counts({ tally, show }: { tally: Tally; show: Show }) {
  const most = Math.max(1, ...tally.counts.map(({ count }) => count));
  return (
    <>
      <h2>{tally.title}</h2>
      <div className="tally" data-cy={`mmmsba-tally-${tally.kind}`}>
        {tally.counts.map(({ value, count }) => {
          const pick = () => show({ kind: tally.kind, value });
          return (
            <React.Fragment key={value}>
              <button type="button" onClick={pick} data-cy={`mmmsba-count-${value}`}>
                <span className="word">{value}</span>
              </button>
              <span className={`share ${value}`} onClick={pick}>
                <i style={{ width: `${(100 * count) / most}%` }} />
              </span>
              <span className="count">{grouped(count)}</span>
            </React.Fragment>
          );
        })}
        {tally.counts.length === 0 && <span className="quiet">none</span>}
      </div>
    </>
  );
}

/** Starts of segments; a long list would tell no more. */
function starts({ starts_s }: QueueItem): string {
  const first = starts_s.slice(0, 4).map(clock).join(", ");
  return starts_s.length > 4 ? `${first} and ${starts_s.length - 4} more` : first;
}

function QueueTable({ call, field }: { call: Call; field: string }) {
  const [reason, setReason] = useState("uncertain");
  const [queue, problem] = useResponse<Queue>(call, "queue", field, { reason });
  if (problem) return <div className="problem">{problem}</div>;
  if (!queue) return <p className="quiet">Looking …</p>;
  const open = (item: QueueItem) => {
    reviewState.reason = reason;
    void call("open", { sample_id: item.sample_id });
  };
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
            onClick={() => setReason(name)}
          >
            {title} <b>{grouped(count)}</b>
          </button>
        ))}
        <span className="push quiet" data-cy="mmmsba-reviewed-count">
          {grouped(queue.num_reviewed)} of {grouped(queue.num_clips)} reviewed
        </span>
      </div>
      <table>
        <thead>
          <tr>
            <th>Clip</th>
            <th>Verdict</th>
            <th>Score</th>
            <th>Fake from</th>
          </tr>
        </thead>
        <tbody>
          {queue.items.map((item) => (
            <tr
              key={item.sample_id}
              tabIndex={0}
              data-cy="mmmsba-queue-item"
              onClick={() => open(item)}
              onKeyDown={(event) => event.key === "Enter" && open(item)}
            >
              <td>{item.name}</td>
              <td>{item.verdict}</td>
              <td>{item.score?.toFixed(3)}</td>
              <td>{item.reason ?? starts(item)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {queue.items.length === 0 && <p className="quiet">Nothing waits to be looked at.</p>}
    </section>
  );
}
