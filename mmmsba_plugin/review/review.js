"use strict";
// Shows one clip at a time, and sends each decision at once; what is shown is what is stored.

const $ = (id) => document.getElementById(id);
const video = $("video");
const MODALITIES = [["", "not known"], ["audio", "audio"], ["visual", "video"], ["both", "both"]];
const NEW_S = 1;

let clips = [];
let shown = 0;
let stop_s = Infinity;
let stored = Promise.resolve();
// What was there before each change of the clip that is shown.
let before = [];

function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

function button(text, className, onclick, pressed) {
  const made = element("button", { type: "button", textContent: text, className, onclick });
  if (pressed !== undefined) made.setAttribute("aria-pressed", pressed);
  return made;
}

async function send(path, body) {
  const options = body && {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  };
  const response = await fetch(path, options);
  if (!response.ok) throw new Error(await response.text());
  return response.json();
}

async function store(index, action, update, isUndo) {
  const clip = clips[index];
  const was = { status: clip.review.status, segments: clip.review.segments };
  try {
    const body = { action, segments: update(was.segments), seen_at: clip.review.at };
    clips[index] = await send(`clips/${clip.number}`, body);
    if (!isUndo && index === shown) before.push(was);
    $("failure").textContent = "";
  } catch (error) {
    $("failure").textContent = error.message;
  }
  render();
}

// Each change waits for the one before, and is made of what that left.
function change(action, update, { isUndo = false } = {}) {
  const index = shown;
  stored = stored.then(() => store(index, action, update, isUndo));
}

function changeSegment(index, changes) {
  change("keep", (segments) =>
    segments.map((segment, at) => (at === index ? { ...segment, ...changes } : segment)),
  );
}

function decide(index, decision) {
  const { review } = clips[shown];
  const segment = review.segments[index];
  // What a person added has no prediction that could be rejected.
  if (decision === "rejected" && !segment.predicted) {
    change("keep", (segments) => segments.filter((_, at) => at !== index));
    return;
  }
  changeSegment(index, { decision: segment.decision === decision ? "open" : decision });
}

function undo() {
  const was = before.pop();
  if (!was) return;
  const ended = { fake: "finish", real: "finish", open: "keep" };
  change(ended[was.status] ?? was.status, () => was.segments, { isUndo: true });
}

function play(from_s, to_s) {
  stop_s = to_s;
  video.currentTime = from_s + clips[shown].zero_s;
  video.play();
}

function timeInput(index, key, label) {
  const segment = clips[shown].review.segments[index];
  const input = element("input", { type: "number", step: "0.01", min: "0" });
  input.value = segment[key].toFixed(3);
  input.setAttribute("aria-label", `${label} of segment ${index + 1}, in seconds`);
  input.onchange = () => {
    // A segment that was moved is one that somebody stands by.
    if (input.value !== "") changeSegment(index, { [key]: Number(input.value), decision: "accepted" });
  };
  return input;
}

function modalityInput(index) {
  const segment = clips[shown].review.segments[index];
  const select = element("select");
  select.setAttribute("aria-label", `What was altered in segment ${index + 1}`);
  for (const [value, text] of MODALITIES) select.append(new Option(text, value));
  select.value = segment.modality ?? "";
  select.onchange = () =>
    changeSegment(index, { modality: select.value || null, decision: "accepted" });
  return select;
}

function row(segment, index) {
  const { decision, predicted, start_s, end_s } = segment;
  const played = button(`Play ${index + 1}`, "", () => play(start_s, end_s));
  const accept = button("Accept", "accept", () => decide(index, "accepted"), decision === "accepted");
  const reject = button(predicted ? "Reject" : "Remove", "reject", () => decide(index, "rejected"),
    decision === "rejected");
  for (const made of [accept, reject]) {
    made.setAttribute("aria-label", `${made.textContent} segment ${index + 1}`);
  }
  const cells = [
    played, timeInput(index, "start_s", "Start"), timeInput(index, "end_s", "End"),
    modalityInput(index), predicted ? predicted.score.toFixed(3) : "added",
  ].map((content) => element("td", {}, content));
  return element("tr", {}, ...cells, element("td", {}, accept, " ", reject));
}

function end_s(clip) {
  return clip.duration_s || Math.max(1, ...clip.review.segments.map((segment) => segment.end_s));
}

function renderBar(clip) {
  for (const band of $("bar").querySelectorAll("i")) band.remove();
  for (const segment of clip.review.segments) {
    const band = element("i", { className: segment.decision });
    band.style.left = `${(100 * segment.start_s) / end_s(clip)}%`;
    band.style.width = `${(100 * (segment.end_s - segment.start_s)) / end_s(clip)}%`;
    $("bar").append(band);
  }
}

function renderClips() {
  $("clips").replaceChildren(
    ...clips.map((clip, index) => {
      const made = button(clip.name, "", () => show(index));
      made.append(element("small", { textContent: `${clip.verdict}; review: ${clip.review.status}` }));
      if (index === shown) made.setAttribute("aria-current", "true");
      return element("li", {}, made);
    }),
  );
  const ended = clips.filter((clip) => clip.review.status !== "open").length;
  $("progress").textContent = `${ended} of ${clips.length} reviewed`;
}

function render() {
  const clip = clips[shown];
  const { segments, status } = clip.review;
  $("name").textContent = clip.name;
  const score = clip.score === null ? "" : `, score ${clip.score.toFixed(3)}`;
  const threshold = clip.threshold === null ? "" : `, threshold ${clip.threshold.toFixed(3)}`;
  $("verdict").textContent = `${clip.verdict}${score}${threshold}. Review: ${status}.`;
  $("segments").replaceChildren(...segments.map(row));
  $("no-segments").hidden = segments.length > 0;
  $("page").hidden = !clip.has_page;
  $("page").href = `page/${clip.number}`;
  $("undo").disabled = before.length === 0;
  document.querySelector("[data-action=reopen]").disabled = status === "open";
  renderBar(clip);
  renderClips();
}

function show(index) {
  shown = index;
  before = [];
  stop_s = Infinity;
  const clip = clips[shown];
  $("failure").textContent = "";
  $("no-clip").hidden = clip.has_clip;
  video.hidden = !clip.has_clip;
  if (clip.has_clip) video.src = `media/${clip.number}`;
  else video.removeAttribute("src");
  render();
}

video.addEventListener("error", () => {
  if (clips[shown].has_clip) {
    $("failure").textContent = "This browser cannot play the clip; open it in a player beside this page.";
  }
});
video.addEventListener("timeupdate", () => {
  const now_s = video.currentTime - clips[shown].zero_s;
  if (now_s >= stop_s) {
    stop_s = Infinity;
    video.pause();
  }
  $("head").style.left = `${(100 * now_s) / end_s(clips[shown])}%`;
});
$("bar").addEventListener("click", (event) => {
  const box = $("bar").getBoundingClientRect();
  play((end_s(clips[shown]) * (event.clientX - box.left)) / box.width, Infinity);
});
$("add").addEventListener("click", () => {
  const start_s = Math.max(0, video.currentTime - clips[shown].zero_s) || 0;
  const added = { start_s, end_s: start_s + NEW_S, modality: null, decision: "accepted", predicted: null };
  change("keep", (segments) => [...segments, added]);
});
for (const made of document.querySelectorAll("[data-action]")) {
  made.addEventListener("click", () => change(made.dataset.action, (segments) => segments));
}
$("undo").addEventListener("click", undo);
$("next").addEventListener("click", () => {
  const places = clips.map((_, index) => (shown + 1 + index) % clips.length);
  const next = places.find((index) => clips[index].review.status === "open");
  if (next === undefined) $("progress").textContent = "All clips are reviewed";
  else show(next);
});

send("clips").then(
  (answer) => {
    clips = answer;
    show(0);
  },
  (error) => {
    $("failure").textContent = error.message;
  },
);
