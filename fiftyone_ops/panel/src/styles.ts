// Styles of both panels. The colours of the App's own theme where it has one; orange for what is
// fake and blue for scores as on the package's report pages, distinct without colour too. Those of
// the dark theme are the App's in grid and player as well (fiftyone_ops/dataset/appearance.py), and
// both themes' are told apart with any kind of colour blindness.

export const STYLES = `
.mmmsba {
  --page: var(--fo-palette-background-level2); --plot: var(--fo-palette-background-level1);
  --text: var(--fo-palette-text-primary); --quiet: var(--fo-palette-text-secondary);
  --line: var(--fo-palette-divider); --hover: var(--fo-palette-background-level3);
  --fake: #ff9a45; --on-fake: #201000; --wash: #ff9a4530; --curve: #6cbcf5;
  --reference: #b7c2cd; --on-reference: #14171a; --reviewed: #c080ff; --on-reviewed: #1c0030;
  --hatch: #78828d; --hatch-page: #262b30; --cursor: #ffffff; --wash-window: #ffffff20;
  box-sizing: border-box; width: 100%; height: 100%; overflow: auto; outline: none;
  display: flex; flex-direction: column; gap: 6px; padding: 8px 12px; color: var(--text);
  background: var(--page); font: 13px/1.35 system-ui, "Segoe UI", "DejaVu Sans", sans-serif;
}
[data-mui-color-scheme="light"] .mmmsba {
  --fake: #b84700; --on-fake: #ffffff; --wash: #b8470026; --curve: #0064a8;
  --reference: #555d67; --on-reference: #ffffff; --reviewed: #7c10d8; --on-reviewed: #ffffff;
  --hatch: #868e98; --hatch-page: #eceef1; --cursor: #000000; --wash-window: #00000018;
}
.mmmsba * { box-sizing: border-box; }
.mmmsba:focus-visible { box-shadow: inset 0 0 0 2px var(--curve); }
.mmmsba h2 { font-size: 14px; font-weight: 600; margin: 8px 0 2px; }
.mmmsba button, .mmmsba select, .mmmsba input {
  font: inherit; color: inherit; background: var(--plot); border: 1px solid var(--line);
  border-radius: 4px; padding: 2px 8px; cursor: pointer;
}
.mmmsba button:hover:enabled, .mmmsba button[aria-pressed=true] { background: var(--hover); border-color: var(--quiet); }
.mmmsba input { cursor: text; } .mmmsba input[type=range] { width: 100%; padding: 0; cursor: ew-resize; accent-color: var(--fake); } .mmmsba input[type=checkbox] { cursor: pointer; } .mmmsba form input { flex: 1 1 auto; }
.mmmsba button:disabled { opacity: .45; cursor: default; }
.mmmsba kbd { font: 11px monospace; color: var(--quiet); margin-left: 5px; }
.mmmsba .quiet { color: var(--quiet); }
.mmmsba .problem { border-left: 4px solid var(--fake); padding: 2px 8px; background: var(--wash); }
.mmmsba .bar { display: flex; flex-wrap: wrap; gap: 6px 8px; align-items: center; flex: none; }
.mmmsba .bar .push { margin-left: auto; }
.mmmsba .chip { border-radius: 10px; padding: 1px 10px; font-weight: 600; border: 1px solid var(--line); }
.mmmsba .warning { border-left: 4px solid var(--curve); padding: 1px 8px; flex: none; max-height: 3.9em; overflow: auto; }
.mmmsba .chip.fake { background: var(--fake); color: var(--on-fake); border-color: var(--fake); }
.mmmsba .help { display: grid; grid-template-columns: repeat(auto-fill, minmax(300px, 1fr)); gap: 2px 16px; margin: 0; flex: none; }
.mmmsba .help div { display: flex; gap: 6px; } .mmmsba .help dt { min-width: 48px; text-align: right; } .mmmsba .help dd { margin: 0; }
.mmmsba .help p { grid-column: 1 / -1; margin: 2px 0; }
.mmmsba .time { font-family: monospace; font-size: 13px; }

/* The App lays its arrows to the next sample over both sides; what is clicked must not be there. */
.mmmsba.timeline { padding: 4px 52px; gap: 4px; container-type: inline-size; }
.mmmsba.timeline .bar { gap: 3px 4px; } .mmmsba.timeline .bar button, .mmmsba.timeline .bar select { padding: 1px 6px; }
.mmmsba.timeline kbd { margin-left: 4px; }
/* Where not all lanes fit, they scroll by themselves: buttons and the chosen segment stay in sight. */
.mmmsba .lanes-window { flex: 1 1 0; min-height: 130px; overflow-y: auto; display: flex; }
.mmmsba .lanes { position: relative; flex: 1 0 0; min-width: 0; min-height: min-content; display: flex; flex-direction: column; gap: 2px; --names: 104px; }
.mmmsba .lane { display: grid; grid-template-columns: var(--names) 1fr; flex: none; height: 21px; }
.mmmsba .lane.curve { flex: 1 0 19px; height: auto; }
.mmmsba .lane.first { flex: 2 0 26px; }
.mmmsba .name { padding-right: 8px; align-self: center; line-height: 1.15; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.mmmsba .name small { margin-left: 5px; font-size: 11px; color: var(--quiet); }
.mmmsba .track { position: relative; background: var(--plot); cursor: crosshair; touch-action: none; overflow: hidden; }
.mmmsba .track svg { position: absolute; inset: 0; width: 100%; height: 100%; }
.mmmsba .track path { fill: none; stroke: var(--curve); stroke-width: 1.8; vector-effect: non-scaling-stroke; }
.mmmsba .lane.audio { flex: 1.5 0 34px; height: auto; }
.mmmsba .audio .track { background: #000; }
.mmmsba .tile { position: absolute; top: 0; bottom: 0; background: #000; pointer-events: none; }
.mmmsba .tile img { position: absolute; top: 0; left: 0; width: 100%; height: 60%; object-fit: fill; }
.mmmsba .tile svg { inset: 60% 0 0 0; height: 40%; background: #101214; }
.mmmsba .tile path { fill: #6cbcf5; stroke: #6cbcf5; stroke-width: 1; }
.mmmsba .wash { position: absolute; top: 0; bottom: 0; background: var(--wash); pointer-events: none; }
.mmmsba .limit { position: absolute; left: 0; right: 0; border-top: 1px dashed var(--text); opacity: .75; pointer-events: none; }
.mmmsba .opt-out {
  position: absolute; top: 0; bottom: 0; overflow: hidden; white-space: nowrap; font-size: 11px; padding: 1px 4px;
  background: repeating-linear-gradient(45deg, var(--hatch) 0 2px, var(--hatch-page) 2px 8px);
}
.mmmsba .opt-out span { background: var(--hatch-page); padding: 0 3px; border-radius: 2px; }
.mmmsba .segment {
  position: absolute; min-width: 4px; padding: 0 4px; border: 0; border-radius: 3px;
  overflow: hidden; white-space: nowrap; text-align: left; font-size: 12px; font-weight: 600; line-height: 1;
  background: var(--fake); color: var(--on-fake);
}
.mmmsba .segment:hover:enabled { background: var(--fake); filter: brightness(1.1); }
.mmmsba .reference .segment, .mmmsba .reference .segment:hover { background: var(--reference); color: var(--on-reference); }
.mmmsba .reviewed .segment, .mmmsba .reviewed .segment:hover { background: var(--reviewed); color: var(--on-reviewed); }
.mmmsba .beside .segment, .mmmsba .beside .segment:hover { background: transparent; color: var(--text); box-shadow: inset 0 0 0 2px var(--fake); }
.mmmsba .segment.rejected { background: transparent !important; color: var(--quiet); border: 1px dashed var(--quiet); text-decoration: line-through; }
.mmmsba .segment.selected { outline: 2px solid var(--cursor); outline-offset: -1px; z-index: 1; }
.mmmsba .edge { position: absolute; top: 0; bottom: 0; width: 7px; cursor: ew-resize; }
.mmmsba .edge.start { left: 0; } .mmmsba .edge.end { right: 0; }
.mmmsba .segment q { font-weight: 400; margin-left: 5px; }
.mmmsba .axis { position: relative; height: 18px; margin-left: var(--names); font-size: 11px; color: var(--quiet); flex: none; cursor: copy; touch-action: none; user-select: none; }
.mmmsba .axis span { position: absolute; transform: translateX(-50%); white-space: nowrap; pointer-events: none; }
.mmmsba .axis span.first { transform: none; }
.mmmsba .axis span.last { transform: translateX(-100%); }
.mmmsba .axis .range { position: absolute; top: 0; bottom: 0; background: var(--reviewed); opacity: .6; pointer-events: none; }
.mmmsba .minimap { position: relative; height: 12px; margin-left: var(--names); background: var(--plot); flex: none; cursor: grab; touch-action: none; }
.mmmsba .minimap i { position: absolute; top: 3px; bottom: 3px; min-width: 2px; background: var(--fake); }
.mmmsba .minimap b { position: absolute; top: 0; bottom: 0; min-width: 6px; border: 1px solid var(--cursor); background: var(--wash-window); }
.mmmsba .over { position: absolute; top: 0; bottom: 18px; left: var(--names); right: 0; pointer-events: none; overflow: hidden; }
.mmmsba .cursor { position: absolute; top: 0; bottom: 0; width: 2px; margin-left: -1px; background: var(--cursor); box-shadow: 0 0 0 1px #0006; }

.mmmsba .cards { display: flex; gap: 8px; overflow-x: auto; overflow-y: hidden; flex: none; height: 66px; align-items: center; }
.mmmsba .card { display: flex; gap: 8px; align-items: center; flex: none; padding: 3px 10px 3px 3px; text-align: left; }
.mmmsba .card img, .mmmsba .card .none { width: 48px; height: 48px; object-fit: contain; background: #000; border-radius: 2px; }
.mmmsba .card .none { display: flex; align-items: center; justify-content: center; color: #aaa; font-size: 10px; overflow: hidden; }
.mmmsba .card.selected { border-color: var(--cursor); box-shadow: inset 0 0 0 1px var(--cursor); }
.mmmsba .card > span { line-height: 1.15; } .mmmsba .card small { color: var(--quiet); }
.mmmsba .card .line { display: block; max-width: 190px; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }

.mmmsba .details { display: flex; gap: 3px; align-items: center; flex: none; }
.mmmsba .details dl { margin: 0 6px; min-width: 120px; flex: none; font-variant-numeric: tabular-nums; font-size: 11px; line-height: 1.15; }
.mmmsba .details dl div { display: flex; justify-content: space-between; gap: 10px; } .mmmsba .details dd { margin: 0; }
.mmmsba .details figure { margin: 0; width: 66px; height: 44px; flex: none; border-bottom: 3px solid transparent; box-sizing: content-box; background: #000; color: #aaa; font-size: 11px; text-align: center; }
.mmmsba .details figure.fake { border-color: var(--fake); } .mmmsba .details figure img { width: 100%; height: 100%; display: block; }
.mmmsba .details .cut { position: relative; width: 150px; height: 48px; flex: none; background: #000; }
.mmmsba .details .cut img { width: 100%; height: 100%; } .mmmsba .details .cut i { position: absolute; top: 0; bottom: 0; border: 2px solid var(--fake); }

@container (max-width: 800px) {
  .mmmsba.timeline .bar kbd, .mmmsba.timeline .wide { display: none; }
  .mmmsba.timeline .bar { font-size: 12px; } .mmmsba.timeline .bar button, .mmmsba.timeline .bar select { padding: 1px 4px; }
  .mmmsba.timeline .cards { height: 58px; }
}
@media (max-height: 800px) {
  .mmmsba .lanes-window { min-height: 96px; }
  .mmmsba.timeline .cards { height: 52px; }
  .mmmsba .card img, .mmmsba .card .none { width: 42px; height: 42px; }
}
.mmmsba .columns { display: grid; grid-template-columns: minmax(340px, 3fr) minmax(220px, 2fr); gap: 4px 24px; flex: 1 1 auto; min-height: 0; }
.mmmsba .columns section { display: flex; flex-direction: column; min-width: 0; }
.mmmsba .histogram { display: flex; align-items: flex-end; gap: 2px; flex: 1 1 140px; min-height: 140px; max-height: 600px; border-bottom: 1px solid var(--quiet); position: relative; }
.mmmsba .histogram button { flex: 1; min-width: 0; overflow: hidden; height: 100%; padding: 0; border: 0; border-radius: 0; background: transparent; display: flex; flex-direction: column; justify-content: flex-end; }
.mmmsba .histogram button:hover:enabled { background: var(--plot); border: 0; }
.mmmsba .histogram i { display: block; background: var(--curve); border-radius: 2px 2px 0 0; }
.mmmsba .histogram .fake i { background: var(--fake); }
.mmmsba .histogram small {  font-size: 10px; color: var(--quiet); text-align: center; }
.mmmsba .histogram .limit b { position: absolute; left: 3px; top: 0; font-size: 11px; font-weight: 600; }
.mmmsba .histogram .limit { top: 0; bottom: 0; right: auto; width: 0; border-top: 0; border-left: 1px dashed var(--text); }
.mmmsba .scale { display: flex; justify-content: space-between; color: var(--quiet); font-size: 11px; }
.mmmsba .tally { display: grid; grid-template-columns: minmax(80px, auto) 1fr auto; gap: 2px 8px; align-items: center; }
.mmmsba .tally button { display: contents; }
.mmmsba .tally .share { height: 10px; background: var(--plot); border-radius: 2px; overflow: hidden; cursor: pointer; }
.mmmsba .tally .share i { display: block; height: 100%; background: var(--curve); }
.mmmsba .tally .share.fake i { background: var(--fake); }
.mmmsba .tally .word { cursor: pointer; text-align: left; }
.mmmsba .tally .word:hover { text-decoration: underline; }
.mmmsba .tally .count { text-align: right; font-variant-numeric: tabular-nums; }
.mmmsba table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
.mmmsba th, .mmmsba td { text-align: left; padding: 4px 10px 4px 4px; border-bottom: 1px solid var(--line); vertical-align: top; }
.mmmsba [data-cy=mmmsba-queue] td { vertical-align: middle; padding-top: 2px; padding-bottom: 2px; }
.mmmsba .thumbnail { width: 64px; height: 36px; background: #000; color: #aaa; font-size: 10px; border-radius: 2px; overflow: hidden; display: flex; align-items: center; justify-content: center; }
.mmmsba .thumbnail img { width: 100%; height: 100%; object-fit: contain; }
.mmmsba th.count, .mmmsba td.count { text-align: right; }
.mmmsba tbody tr { cursor: pointer; }
.mmmsba tbody tr:hover, .mmmsba tbody tr:focus-visible, .mmmsba tbody tr.selected { background: var(--hover); outline: none; }
`;
