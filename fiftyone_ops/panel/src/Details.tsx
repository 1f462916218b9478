// What the chosen segment looks and sounds like, and its scores, beside a part of the clip that is
// not flagged: why it was called fake.

import React, { useEffect, useState } from "react";
import { capital, span } from "./drawing";
import type { Call } from "./rpc";
import type { Clip, Excerpt, Segment, SegmentDetails } from "./types";

/** Nothing is decoded while one still goes from segment to segment. */
const REST_MS = 250;
/** Details that are kept, the latest ones. */
const NUM_KEPT = 40;
const kept = new Map<string, SegmentDetails>();

interface DetailsProps {
  call: Call;
  clip: Clip;
  segment: Segment;
}

export function Details({ call, clip, segment }: DetailsProps) {
  const { sample_id, field } = clip;
  const { start_s, end_s } = segment;
  const key = JSON.stringify([sample_id, field, start_s, end_s]);
  const [loaded, setLoaded] = useState<{ key: string; problem: string | null } | null>(null);
  useEffect(() => {
    if (kept.has(key)) return;
    let late = false;
    const finish = (problem: string | null) => !late && setLoaded({ key, problem });
    const timer = setTimeout(() => {
      call<SegmentDetails>("details", { sample_id, field, start_s, end_s })
        .then((details) => {
          kept.set(key, details);
          if (kept.size > NUM_KEPT) kept.delete([...kept.keys()][0]!);
          finish(null);
        })
        .catch((error: Error) => finish(error.message));
    }, REST_MS);
    return () => {
      late = true;
      clearTimeout(timer);
    };
  }, [call, key]);
  const details = kept.get(key);
  if (!details) {
    const problem = loaded?.key === key ? loaded.problem : null;
    return <div className="details quiet">{problem ?? "Looking at the segment …"}</div>;
  }
  return (
    <div className="details" data-cy="mmmsba-details">
      <Strip title="Segment" excerpt={details.segment} />
      {details.comparison && <Strip title="Not flagged" excerpt={details.comparison} />}
    </div>
  );
}

function Strip({ title, excerpt }: { title: string; excerpt: Excerpt }) {
  const { mouths, spectrogram, left, width } = excerpt;
  return (
    <>
      <dl title="Highest score of each modality">
        <b>{title}</b> <small>{span(excerpt)}</small>
        {scoreRows(excerpt.scores).map(([name, score]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{score}</dd>
          </div>
        ))}
      </dl>
      {mouths.map(({ src, caption, is_within }) => (
        <figure key={caption} className={is_within ? "fake" : ""} title={caption}>
          {src ? <img src={src} alt={`Mouth at ${caption}`} /> : "no face"}
        </figure>
      ))}
      {spectrogram && (
        <div className="cut" title="Spectrogram up to 8 kHz; the segment is framed">
          <img src={spectrogram} alt={`Spectrogram of ${span(excerpt)}`} />
          {width > 0 && <i style={{ left: `${left}%`, width: `${width}%` }} />}
        </div>
      )}
    </>
  );
}

/** Scores by the names of their lanes; a dash where there is none. */
export function scoreRows(scores: Excerpt["scores"]): [string, string][] {
  return Object.entries(scores).map(([name, value]) => [
    capital(name),
    value === null ? "–" : value.toFixed(3),
  ]);
}
