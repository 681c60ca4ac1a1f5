(function () {
  // Two columns of a table of samples over each other: a slider shows more of the one or the other, a button flips.
  function made(name, parent, values) {
    const node = Object.assign(document.createElement(name), values || {});
    parent.append(node);
    return node;
  }

  function choice(parent, words, texts) {
    const label = made("label", parent, { textContent: words + " " });
    const select = made("select", label);
    texts.forEach((text, at) => made("option", select, { value: String(at), textContent: text }));
    return select;
  }

  function overlay(card) {
    const table = card.querySelector(".sidebyside table");
    if (!table) { return; }
    const heads = Array.from(table.querySelectorAll("thead th")).slice(1);
    const rows = Array.from(table.querySelectorAll("tbody tr"));
    const images = (row, column) => Array.from(row.children[column + 1].querySelectorAll("img"));
    const full = heads.map((_, at) => at).filter((at) => rows.some((row) => images(row, at).length));
    if (full.length < 2) { return; }
    const titles = full.map((at) => heads[at].querySelector(".column").textContent.trim());

    const box = document.createElement("div");
    box.className = "overlaid";
    box.setAttribute("role", "group");
    box.setAttribute("aria-label", "Two columns over each other");
    const controls = made("div", box, { className: "controls" });
    const one = choice(controls, "Left", titles), other = choice(controls, "Right", titles);
    one.value = String(full.length - 2);
    other.value = String(full.length - 1);
    const sample = choice(controls, "Sample", []);
    const slide = made("label", controls, { textContent: "Left to right " });
    const slider = made("input", slide, { type: "range", min: "0", max: "100", value: "50" });
    const flip = made("button", controls, { type: "button", textContent: "Flip" });
    flip.setAttribute("aria-pressed", "false");
    flip.title = "Show the whole right picture; holding F does so as long as it is held";
    const both = made("div", box, { className: "both" });
    const left = made("img", both), right = made("img", both);
    const which = made("span", both, { className: "which one" }), whichOther = made("span", both, { className: "which other" });
    const none = made("p", box, { className: "note", textContent: "No sample has a picture in both columns." });
    let pairs = [], held = false;

    function cut() {
      const pressed = flip.getAttribute("aria-pressed") === "true";
      const whole = pressed !== held;  // holding F flips back while the button is pressed
      const share = whole ? 0 : Number(slider.value);
      right.style.clipPath = "inset(0 0 0 " + share + "%)";
      which.hidden = whole;
      whichOther.hidden = !whole && share === 100;
      slider.setAttribute("aria-valuetext", share + " % " + titles[one.value] + ", the rest " + titles[other.value]);
    }

    function show() {
      const pair = pairs[Number(sample.value) || 0];
      both.hidden = !pair;
      none.hidden = Boolean(pair);
      if (!pair) { return; }
      [[left, pair[0]], [right, pair[1]]].forEach(([to, from]) => {
        to.src = from.src;
        to.alt = from.alt;
        to.width = from.width;
        to.height = from.height;
      });
      which.textContent = titles[one.value];
      whichOther.textContent = titles[other.value];
      cut();
    }

    function fill() {
      const before = sample.selectedOptions[0] ? sample.selectedOptions[0].textContent : "";
      pairs = [];
      sample.replaceChildren();
      for (const row of rows) {
        const ones = images(row, full[one.value]), others = images(row, full[other.value]);
        const count = Math.min(ones.length, others.length);
        for (let at = 0; at < count; at += 1) {
          const name = row.querySelector(".name").textContent.trim() + (count > 1 ? ", " + (at + 1) : "");
          made("option", sample, { value: String(pairs.length), textContent: name, selected: name === before });
          pairs.push([ones[at], others[at]]);
        }
      }
      show();
    }

    one.addEventListener("change", fill);
    other.addEventListener("change", fill);
    sample.addEventListener("change", show);
    slider.addEventListener("input", cut);
    flip.addEventListener("click", () => {
      flip.setAttribute("aria-pressed", String(flip.getAttribute("aria-pressed") !== "true"));
      cut();
    });
    function hold(event, on) {
      if (event.key.toLowerCase() !== "f" || event.ctrlKey || event.metaKey || event.altKey) { return; }
      if (event.target.localName === "select") { return; }  // letters choose there
      if (held !== on) { held = on; cut(); }
    }
    box.addEventListener("keydown", (event) => hold(event, true));
    box.addEventListener("keyup", (event) => hold(event, false));
    box.addEventListener("focusout", () => { held = false; cut(); });
    table.parentElement.before(box);
    fill();
  }

  document.querySelectorAll(".compared").forEach(overlay);
}());
