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

function Scores({ overview, show }: { overview: Overview; show: Show }) {
  return (
    <div className="columns">
      <section>
        <h2>
          P(fake) of {overview.num_clips} clip{overview.num_clips === 1 ? "" : "s"}
        </h2>
        <Histogram {...{ overview, show }} />
        <div className="scale">
          <span>0 real</span>
          <span>1 fake</span>
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
    `${count} clip${count === 1 ? "" : "s"} with a score from ${low.toFixed(2)} to ${high.toFixed(2)}`;
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
          {bar.count > 0 && <small>{bar.count}</small>}
          <i style={{ height: `${(92 * bar.count) / highest}%` }} />
        </button>
      ))}
      {threshold !== null && <div className="limit" style={{ left: `${100 * threshold}%` }} />}
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
              <span className="count">{count}</span>
            </React.Fragment>
          );
        })}
        {tally.counts.length === 0 && <span className="quiet">none</span>}
      </div>
    </>
  );
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
            {title} <b>{count}</b>
          </button>
        ))}
        <span className="push quiet" data-cy="mmmsba-reviewed-count">
          {queue.num_reviewed} of {queue.num_clips} reviewed
        </span>
      </div>
      <table>
        <thead>
          <tr>
            <th>Clip</th>
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
              <td>{item.score?.toFixed(3)}</td>
              <td>{item.starts_s.map(clock).join(", ")}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {queue.items.length === 0 && <p className="quiet">Nothing waits to be looked at.</p>}
    </section>
  );
}
