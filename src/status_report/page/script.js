"use strict";
(() => {
  const table = document.querySelector("main > table");
  const rows = [...table.tBodies];
  const order = ["wrong", "due", "fine"];
  const shown = document.getElementById("shown");
  const none = document.getElementById("none");
  const input = document.querySelector("#filter input");
  const chips = [];
  let only = null;

  // The text that the filter searches: all text of a row, folded or not.
  const searchable = new Map(rows.map((row) => [row, row.textContent.toLowerCase() + " " + row.dataset.name.toLowerCase()]));

  const filter = () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    let left = 0;
    for (const row of rows) {
      const fits = (!only || row.dataset.verdict === only) && words.every((word) => searchable.get(row).includes(word));
      row.hidden = !fits;
      left += fits ? 1 : 0;
    }
    none.hidden = left > 0 || rows.length === 0;
    shown.textContent = left === rows.length ? "" : `${left} of ${rows.length} shown`;
  };

  document.getElementById("filter").hidden = false;
  input.addEventListener("input", filter);

  for (const chip of document.querySelectorAll(".chips li")) {
    const button = document.createElement("button");
    button.type = "button";
    button.setAttribute("aria-pressed", "false");
    button.append(...chip.childNodes);
    chip.append(button);
    chips.push(button);
    button.addEventListener("click", () => {
      only = only === chip.dataset.only ? null : chip.dataset.only;
      for (const other of chips) {
        other.setAttribute("aria-pressed", String(other.parentNode.dataset.only === only));
      }
      filter();
    });
  }

  // A button that copies, beside each command and each block of lines. Pages of a file have no clipboard in some browsers.
  if (navigator.clipboard) {
    for (const source of document.querySelectorAll(".command, pre")) {
      const button = document.createElement("button");
      const words = source.textContent;
      button.type = "button";
      button.className = "copy";
      button.textContent = "Copy";
      source.after(" ", button);
      button.addEventListener("click", async () => {
        await navigator.clipboard.writeText(words);
        button.textContent = "Copied";
        setTimeout(() => { button.textContent = "Copy"; }, 2000);
      });
    }
  }

  // Names are compared from the right, so that the names of one domain are sorted together.
  const domain = (name) => name.split(".").reverse().join(".");
  const keys = {
    verdict: (row) => order.indexOf(row.dataset.verdict),
    name: (row) => domain(row.dataset.name),
    state: (row) => row.dataset.state,
    ends: (row) => (row.dataset.ends === "" ? Infinity : Number(row.dataset.ends)),
    due: (row) => (row.dataset.due === "" ? Infinity : Number(row.dataset.due)),
  };

  for (const head of table.tHead.querySelectorAll("th[data-by]")) {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      for (const other of table.tHead.querySelectorAll("th[aria-sort]")) {
        other.removeAttribute("aria-sort");
      }
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const key = keys[head.dataset.by];
      const by = (a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0);
      table.append(...[...rows].sort((a, b) => (down ? by(b, a) : by(a, b))));
    });
  }
})();
