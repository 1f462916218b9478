// What a report's page can do beyond being read: play the clip where a segment lies.
// Without it nothing is missing but that.
(() => {
  const timeline = document.querySelector(".timeline");
  const wide = timeline?.closest(".scroll");
  // The names of lanes stay in view while the drawing is scrolled.
  wide?.addEventListener("scroll", () => {
    for (const name of timeline.querySelectorAll(".name")) name.setAttribute("x", wide.scrollLeft);
  });

  const player = document.getElementById("player");
  if (!player) return;
  const video = player.querySelector("video");
  const message = player.querySelector("[role=status]");
  const chooser = player.querySelector("input");
  const head = timeline?.querySelector(".head");
  // The browser counts from the container's zero, the report from the clip's.
  const zero_s = Number(player.dataset.zero);
  const end_s = Number(player.dataset.end);
  let stop_s = Infinity;

  function play(from_s, to_s) {
    document.body.classList.add("playing");
    stop_s = to_s;
    video.currentTime = zero_s + from_s;
    video.play();
  }

  player.hidden = false;
  video.addEventListener("loadeddata", () => {
    document.body.classList.add("plays");
    message.textContent = "Choose a segment, or a place on the time line, to play it.";
  });
  video.addEventListener("error", () => {
    document.body.classList.remove("plays");
    message.textContent =
      "The clip is not beside this page, or this browser cannot play it. You can choose the file:";
  });
  video.addEventListener("timeupdate", () => {
    const now_s = video.currentTime - zero_s;
    if (now_s >= stop_s) {
      stop_s = Infinity;
      video.pause();
    }
    const place = `${Math.min(100, Math.max(0, (100 * now_s) / end_s))}%`;
    for (const end of ["x1", "x2"]) head?.setAttribute(end, place);
  });
  chooser.addEventListener("change", () => {
    const [file] = chooser.files;
    if (!file) return;
    if (player.dataset.size && file.size !== Number(player.dataset.size)) {
      message.textContent = "That is another file: its size is not that of the clip. Choose again:";
      return;
    }
    video.src = URL.createObjectURL(file);
  });
  document.addEventListener("click", (event) => {
    if (!document.body.classList.contains("plays")) return;
    const segment = event.target.closest("[data-start]");
    if (segment) {
      play(Number(segment.dataset.start), Number(segment.dataset.stop));
    } else if (timeline?.contains(event.target)) {
      const box = timeline.getBoundingClientRect();
      play((end_s * (event.clientX - box.left)) / box.width, Infinity);
    }
  });
  // Not before all of this listens: a clip that is not there fails at once.
  video.src = player.dataset.src;
})();
