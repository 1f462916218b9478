// The overview of a dataset: the histogram of scores, counts of clips of each kind, and the review
// queue. Whatever is clicked becomes the view.

import React, { useState } from "react";
import { QueueView } from "./QueueView";
import { type Call, type PanelProps, useCall } from "./rpc";
import { StatisticsView } from "./StatisticsView";
import { STYLES } from "./styles";
import { ThresholdSlider } from "./ThresholdSlider";
import type { Bar, Overview, Summary, Tally } from "./types";
import { useResponse } from "./useResponse";
import { Warnings } from "./Warnings";
import { clips, grouped } from "./words";

type Tab = "scores" | "queue" | "statistics";
type Show = (params: Record<string, unknown>, meanwhile?: Overview) => void;

export function OverviewView(props: PanelProps) {
  const call = useCall(props);
  const [tab, setTab] = useState<Tab>("scores");
  const [field, setField] = useState<string | null>(null);
  const [summary, problem, load] = useResponse<Summary>(call, "summary", field);
  const reload = () => load();
  const show: Show = (params, meanwhile) =>
    load(params, summary && meanwhile ? { ...summary, overview: meanwhile } : undefined);
  return (
    <div className="mmmsba" data-cy="mmmsba-overview">
      <style>{STYLES}</style>
      <div className="bar">
        <TabButton is="scores" {...{ tab, setTab }} text="Scores" />
        <TabButton is="queue" {...{ tab, setTab }} text="Review queue" />
        <TabButton is="statistics" {...{ tab, setTab }} text="Statistics" />
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
      {summary?.overview && summary.field && tab === "scores" && (
        <Scores {...{ call, show, reload }} field={summary.field} overview={summary.overview} />
      )}
      {summary?.field && tab === "queue" && <QueueView call={call} field={summary.field} />}
      {summary?.field && tab === "statistics" && <StatisticsView {...{ call, show }} field={summary.field} />}
    </div>
  );
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

/** A count in as little room as a bar has. */
function short(count: number): string {
  if (count < 1000) return String(count);
  const [unit, letter] = count < 999_500 ? [1000, "k"] : [1_000_000, "M"];
  return `${Number((count / (unit as number)).toPrecision(2))}${letter}`;
}

interface ScoresProps {
  call: Call;
  field: string;
  overview: Overview;
  show: Show;
  reload(): void;
}

function Scores({ call, field, overview, show, reload }: ScoresProps) {
  const [line, setLine] = useState<number | null>(null);
  // Reading all curves takes a while, so that waits until somebody wants to.
  const [isTrying, setTrying] = useState(false);
  const threshold = line ?? overview.threshold;
  return (
    <div className="columns">
      <section>
        <h2>
          P(fake) of {clips(overview.num_evaluated)}
          {overview.num_evaluated < overview.num_clips &&
            `, ${grouped(overview.num_clips - overview.num_evaluated)} more without a score`}
        </h2>
        <Warnings texts={overview.warnings.map(({ text, count }) => `${text} (${clips(count)})`)} />
        <Histogram {...{ overview, threshold, show }} />
        <div className="scale">
          <span>0</span>
          <span>P(fake)</span>
          <span>1</span>
        </div>
        {isTrying ? (
          <ThresholdSlider
            key={field}
            {...{ call, field, line, setLine }}
            stored={overview.threshold}
            applied={reload}
          />
        ) : (
          <div className="bar">
            <button type="button" data-cy="mmmsba-threshold-try" onClick={() => setTrying(true)}>
              Try another threshold
            </button>
          </div>
        )}
        <p className="quiet">
          Click a bar to see its clips.
          {threshold !== null && ` The dashed line is the threshold, ${threshold.toFixed(3)}.`}
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

interface HistogramProps {
  overview: Overview;
  threshold: number | null;
  show: Show;
}

/** What is known of the clips of one bar before they are counted. */
export function ofBar(overview: Overview, bar: Bar): Overview {
  const bars = overview.bars.map((other) => (other === bar ? bar : { ...other, count: 0 }));
  return { ...overview, num_clips: bar.count, num_evaluated: bar.count, bars };
}

function Histogram({ overview, threshold, show }: HistogramProps) {
  const { bars } = overview;
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
          onClick={() => show({ kind: "score", value: bar.low }, ofBar(overview, bar))}
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
