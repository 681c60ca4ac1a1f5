(function () {
  // A page of a run that goes on: loads itself again unless paused, and says when nothing was written for long.
  var written = document.getElementById("run-written"), state = document.getElementById("run-state");
  var pause = document.getElementById("run-pause"), every = Number(document.body.dataset.again) || 5;
  if (!written || !pause) { return; }
  var at = Date.parse(written.dataset.written), longest = 3000 * Number(written.dataset.every);
  var isPaused = false, timer = setTimeout(again, every * 1000);
  function again() {
    // not while somebody types a filter or looks at an enlarged picture
    var focused = document.activeElement;
    if (document.querySelector("dialog[open]") || (focused && /^(INPUT|SELECT)$/.test(focused.tagName))) {
      timer = setTimeout(again, every * 1000);
    } else if (!isPaused) {
      location.reload();
    }
  }
  pause.addEventListener("click", function () {
    isPaused = !isPaused;
    pause.textContent = isPaused ? "Continue updates" : "Pause updates";
    clearTimeout(timer);
    if (!isPaused) { again(); }
  });
  if (Date.now() - at > longest) {
    clearTimeout(timer);
    state.textContent = "Not running any more, it seems: nothing was written since " + written.querySelector("time").textContent;
    pause.textContent = "Look again";
    isPaused = true;
  }
}());
