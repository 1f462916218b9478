// What a reader of scores must know, such as that the weights are a demonstrator.

import React from "react";

export function Warnings({ texts }: { texts: readonly string[] }) {
  if (texts.length === 0) return null;
  return (
    <div className="warning" data-cy="mmmsba-warnings" title={texts.join("\n")}>
      {texts.map((text) => (
        <div key={text}>⚠ {text}</div>
      ))}
    </div>
  );
}
