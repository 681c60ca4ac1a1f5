"use strict";
(function () {
  const root = document.documentElement;
  root.classList.add("js");

  function filterChanges(form) {
    const cards = Array.from(document.querySelectorAll(".change"));
    const none = document.querySelector(".none");
    const output = form.querySelector("output");
    const value = (name) => (form.elements[name] ? form.elements[name].value : "");

    const known = new Map();
    function textOf(node) {  // as it was, and as it will be
      if (!known.has(node)) {
        let before = "", after = "";
        const walker = document.createTreeWalker(node, NodeFilter.SHOW_TEXT);
        while (walker.nextNode()) {
          const text = walker.currentNode, side = text.parentElement.closest("ins, del");
          if (!side || side.localName === "del") { before += text.data; }
          if (!side || side.localName === "ins") { after += text.data; }
        }
        known.set(node, (after + "\n" + before).toLowerCase());
      }
      return known.get(node);
    }

    function apply() {
      const text = value("text").trim().toLowerCase();
      const code = value("finding");
      const isOn = Boolean(text || code || value("resource") || value("action"));
      const has = (node) => !code || node.dataset.codes.split(" ").includes(code);
      const says = (node) => textOf(node).includes(text);
      let shown = 0, pictures = 0;
      for (const card of cards) {
        let fits = (!value("resource") || card.id === value("resource")) &&
          (!value("action") || card.dataset.action === value("action")) && has(card);
        const titled = says(card.querySelector("summary"));
        let left = 0;
        const figures = card.querySelectorAll(".figure");
        for (const figure of figures) {
          figure.hidden = !(has(figure) && (!text || titled || says(figure)));
          left += figure.hidden ? 0 : 1;
        }
        for (const sheet of card.querySelectorAll(".sheet")) {
          sheet.hidden = !sheet.querySelector(".figure:not([hidden])");
        }
        fits = fits && (!text || titled || left > 0 || says(card));
        card.hidden = !fits;
        if (fits) { shown += 1; pictures += left; }
        if (fits && isOn) { card.open = true; }
      }
      none.hidden = shown > 0;
      none.classList.toggle("js-only", shown > 0);
      output.textContent = isOn ? shown + " of " + cards.length + " changes, " + pictures + " pictures" : "";
    }
    form.addEventListener("input", apply);
    form.addEventListener("reset", () => setTimeout(apply));
    form.addEventListener("submit", (event) => event.preventDefault());
  }

  function viewer() {
    const dialog = document.createElement("dialog");
    if (!dialog.showModal) { return; }  // links to the enlarged figures stay
    dialog.className = "viewer";
    const button = (words, sign, name) => {
      const made = document.createElement("button");
      made.type = "button"; made.className = name; made.textContent = sign; made.setAttribute("aria-label", words);
      dialog.append(made);
      return made;
    };
    const stage = document.createElement("div");
    stage.className = "stage";
    const close = button("Close", "Close", "close");
    const back = button("Previous picture", "\u2039", "step before");
    const on = button("Next picture", "\u203a", "step after");
    dialog.append(stage);
    document.body.append(dialog);
    let figures = [], at = 0;

    function show(index) {
      at = (index + figures.length) % figures.length;
      const figure = figures[at];
      stage.replaceChildren(...Array.from(figure.children).map((node) => node.cloneNode(true)));
      stage.querySelectorAll(".close").forEach((node) => node.remove());
      stage.querySelectorAll("a.open").forEach((link) => link.replaceWith(...link.childNodes));
      dialog.setAttribute("aria-label", figure.querySelector(".path").textContent.trim());
      back.hidden = on.hidden = figures.length < 2;
    }
    close.addEventListener("click", () => dialog.close());
    back.addEventListener("click", () => show(at - 1));
    on.addEventListener("click", () => show(at + 1));
    dialog.addEventListener("keydown", (event) => {
      if (event.key === "ArrowLeft") { show(at - 1); }
      if (event.key === "ArrowRight") { show(at + 1); }
    });
    document.addEventListener("click", (event) => {
      const link = event.target.closest("a.open");
      if (!link || event.ctrlKey || event.metaKey || event.shiftKey) { return; }
      event.preventDefault();
      figures = Array.from(document.querySelectorAll(".figure")).filter((one) => one.offsetParent && one.querySelector("a.open"));
      show(figures.indexOf(link.closest(".figure")));
      dialog.showModal();
    });
  }

  const form = document.querySelector(".filter");
  if (form) { filterChanges(form); }
  viewer();
  let folded = [];
  addEventListener("beforeprint", () => {
    folded = Array.from(document.querySelectorAll("details:not([open])"));
    folded.forEach((one) => { one.open = true; });
  });
  addEventListener("afterprint", () => folded.forEach((one) => { one.open = false; }));
}());
