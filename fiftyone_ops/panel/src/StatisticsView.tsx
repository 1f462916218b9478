// Counts of the clips in view by what the dataset states of them, such as their source.

import React, { useState } from "react";
import type { Call } from "./rpc";
import type { GroupCounts, Statistics } from "./types";
import { useResponse } from "./useResponse";
import { grouped } from "./words";

interface StatisticsViewProps {
  call: Call;
  field: string;
  show(params: Record<string, unknown>): void;
}

export function StatisticsView({ call, field, show }: StatisticsViewProps) {
  const [chosen, choose] = useState<string | null>(null);
  const [statistics, problem] = useResponse<Statistics>(call, "statistics", field, { by: chosen });
  if (problem) return <div className="problem">{problem}</div>;
  if (!statistics) return <p className="quiet">Counting …</p>;
  const { by, fields, groups, num_left } = statistics;
  const hasTruth = groups.some((group) => group.num_true_fake + group.num_true_real > 0);
  return (
    <section data-cy="mmmsba-statistics">
      <label>
        Clips by{" "}
        <select data-cy="mmmsba-statistics-by" value={by} onChange={(event) => choose(event.target.value)}>
          {fields.map((name) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      </label>
      <table>
        <thead>
          <tr>
            <th>{by}</th>
            <th className="count">Clips</th>
            <th className="count" title="The detector abstained or failed, or has not seen them">
              Not evaluated
            </th>
            <th className="count" title="Of the clips with a score">
              Called fake
            </th>
            {hasTruth && <th className="count" title="Fake clips that are called fake">TPR</th>}
            {hasTruth && <th className="count" title="Real clips that are called fake">FPR</th>}
          </tr>
        </thead>
        <tbody>
          {groups.map((group) => {
            const pick = () => show({ kind: "group", by, value: group.value });
            return (
              <tr
                key={group.value}
                tabIndex={0}
                data-cy="mmmsba-group"
                onClick={pick}
                onKeyDown={(event) => event.key === "Enter" && pick()}
              >
                <td>{group.value}</td>
                {cells(group, hasTruth).map((text, column) => (
                  <td key={column} className="count">
                    {text}
                  </td>
                ))}
              </tr>
            );
          })}
        </tbody>
      </table>
      {num_left > 0 && <p className="quiet">… and {grouped(num_left)} smaller groups.</p>}
      <p className="quiet">
        Click a row to see its clips.
        {hasTruth && " TPR and FPR count the clips with a score and a ground truth."}
      </p>
    </section>
  );
}

/** The counts of a group, column by column. */
export function cells(group: GroupCounts, hasTruth: boolean): string[] {
  const counts = [
    grouped(group.num_clips),
    grouped(group.num_clips - group.num_evaluated),
    share(group.num_fake, group.num_evaluated),
  ];
  if (!hasTruth) return counts;
  return [
    ...counts,
    share(group.true_positives, group.num_true_fake),
    share(group.false_positives, group.num_true_real),
  ];
}

/** A share with what it is of; empty of nothing. */
function share(count: number, of: number): string {
  return of === 0 ? "" : `${((100 * count) / of).toFixed(1)} % of ${grouped(of)}`;
}
