// A data set at a glance: how scores are spread, how many clips are of each kind, and which
// deserve a look first. Whatever is clicked becomes the view.

import { view } from "@fiftyone/state";
import React, { useCallback, useEffect, useState } from "react";
import { useRecoilValue } from "recoil";
import { LOOK } from "./look";
import { type Ask, type PanelProps, useAsk } from "./python";
import { reviewing } from "./reviewing";
import type { Bar, Overview, Queue, QueueItem, Tally } from "./said";
import { clock } from "./timescale";

type Tab = "scores" | "queue";
type Show = (what: Record<string, unknown>) => void;

export function OverviewView(props: PanelProps) {
  const ask = useAsk(props);
  const [tab, setTab] = useState<Tab>("scores");
  const [field, setField] = useState<string | null>(null);
  const [overview, problem, reload] = useAnswer<Overview>(ask, "summary", field);
  const show: Show = (what) => void ask("show", { field, ...what });
  return (
    <div className="mmmsba" data-cy="mmmsba-overview">
      <style>{LOOK}</style>
      <div className="bar">
        <TabButton is="scores" {...{ tab, setTab }} words="Scores" />
        <TabButton is="queue" {...{ tab, setTab }} words="Review queue" />
        {overview && overview.fields.length > 0 && (
          <select value={overview.field ?? ""} onChange={(event) => setField(event.target.value)}>
            {overview.fields.map((name) => (
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
      {!overview && !problem && <p className="quiet">Counting …</p>}
      {overview?.field === null && (
        <p className="quiet">No clip has been evaluated yet. Run “Detect forgeries” first.</p>
      )}
      {overview?.field && tab === "scores" && <Scores overview={overview} show={show} />}
      {overview?.field && tab === "queue" && <QueueTable ask={ask} field={overview.field} />}
    </div>
  );
}

/** What a method answers about a field, asked anew whenever the App's view changes. */
function useAnswer<T>(ask: Ask, method: string, field: string | null, more?: object) {
  const stages = useRecoilValue(view);
  const [answer, setAnswer] = useState<T | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [asked, setAsked] = useState(0);
  const key = JSON.stringify([field, stages, more]);
  useEffect(() => {
    let late = false;
    ask<T>(method, { field, ...more })
      .then((told) => {
        if (late) return;
        setAnswer(told);
        setProblem(null);
      })
      .catch((error: Error) => !late && setProblem(error.message));
    return () => {
      late = true;
    };
  }, [ask, method, key, asked]);
  const again = useCallback(() => setAsked((count) => count + 1), []);
  return [answer, problem, again] as const;
}

interface TabButtonProps {
  is: Tab;
  words: string;
  tab: Tab;
  setTab(tab: Tab): void;
}

function TabButton({ is, words, tab, setTab }: TabButtonProps) {
  return (
    <button
      type="button"
      data-cy={`mmmsba-tab-${is}`}
      aria-pressed={tab === is}
      onClick={() => setTab(is)}
    >
      {words}
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
  const says = ({ low, high, count }: Bar) =>
    `${count} clip${count === 1 ? "" : "s"} with a score from ${low.toFixed(2)} to ${high.toFixed(2)}`;
  return (
    <div className="histogram" data-cy="mmmsba-histogram">
      {bars.map((bar) => (
        <button
          key={bar.low}
          type="button"
          className={threshold !== null && bar.low >= threshold - 1e-9 ? "forged" : ""}
          data-cy="mmmsba-bar"
          data-count={bar.count}
          disabled={bar.count === 0}
          title={says(bar)}
          aria-label={says(bar)}
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

function QueueTable({ ask, field }: { ask: Ask; field: string }) {
  const [reason, setReason] = useState("uncertain");
  const [queue, problem] = useAnswer<Queue>(ask, "queue", field, { reason });
  if (problem) return <div className="problem">{problem}</div>;
  if (!queue) return <p className="quiet">Looking …</p>;
  const open = (item: QueueItem) => {
    reviewing.reason = reason;
    void ask("open", { sample_id: item.sample_id });
  };
  return (
    <section data-cy="mmmsba-queue">
      <div className="bar">
        {queue.reasons.map(({ name, title, why, count }) => (
          <button
            key={name}
            type="button"
            title={why}
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
            <th>Forged from</th>
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
              <td>{item.at_s.map(clock).join(", ")}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {queue.items.length === 0 && <p className="quiet">Nothing waits to be looked at.</p>}
    </section>
  );
}
