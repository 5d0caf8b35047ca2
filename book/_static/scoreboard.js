// The scoreboard's tables: filters by paper, verdict and text, and sorting by a column. Without this file they are
// whole and readable; it only adds controls. It reads the page and asks nobody for anything.
(() => {
  "use strict";
  const ORDER = ["reproduced", "partly-reproduced", "not-reproduced", "inconclusive", "not-testable-here", "rehearsed"];
  const SORTED = ["Chapter", "Claim", "Verdict"];

  const make = (tag, attributes = {}, ...children) => {
    const element = document.createElement(tag);
    Object.entries(attributes).forEach(([name, value]) => element.setAttribute(name, value));
    element.append(...children);
    return element;
  };

  const read = (row, place) => {
    const verdict = row.querySelector(".verdict");
    const outcome = ORDER.findIndex((name) => verdict && verdict.classList.contains(`verdict-${name}`));
    const name = row.cells[0].cloneNode(true);
    name.querySelectorAll(".remark").forEach((remark) => remark.remove());
    const paper = name.textContent.trim();
    const claim = row.querySelector(".claim-id");
    const number = claim ? parseInt(claim.textContent.replace(/\D/g, ""), 10) || 0 : 0;
    return { row, place, paper, outcome, number, text: row.textContent.toLowerCase() };
  };

  const choice = (id, label, names) => {
    const select = make("select", { id });
    select.append(make("option", { value: "" }, "all"));
    names.forEach(([value, name]) => select.append(make("option", { value }, name)));
    return [make("label", { for: id }, label), select];
  };

  const compare = {
    Chapter: (a, b) => a.paper.localeCompare(b.paper) || a.number - b.number,
    Claim: (a, b) => a.number - b.number || a.place - b.place,
    Verdict: (a, b) => a.outcome - b.outcome || a.place - b.place,
  };

  const addFilters = (table, entries, key) => {
    const id = key.replace(/ /g, "-");
    const papers = [...new Set(entries.map((entry) => entry.paper))].map((name) => [name, name]);
    const verdicts = ORDER.filter((_, number) => entries.some((entry) => entry.outcome === number));
    const [paperLabel, paper] = choice(`paper-${id}`, "Paper", papers);
    const [verdictLabel, verdict] = choice(`verdict-${id}`, "Verdict", verdicts.map((v) => [v, v.replace(/-/g, " ")]));
    const text = make("input", { id: `text-${id}`, type: "search", autocomplete: "off" });
    const reset = make("button", { type: "reset" }, "Show all");
    const said = make("p", { role: "status", class: "reprise-count" });
    const form = make(
      "form", { class: "reprise-filters", role: "search", "aria-label": `Filter the table of claims ${key}` },
      make("div", {}, paperLabel, paper), make("div", {}, verdictLabel, verdict),
      make("div", {}, make("label", { for: `text-${id}` }, "Text"), text), reset,
    );
    const apply = () => {
      const words = text.value.toLowerCase().split(/\s+/).filter(Boolean);
      let shown = 0;
      entries.forEach((entry) => {
        const fits =
          (!paper.value || entry.paper === paper.value) &&
          (!verdict.value || ORDER[entry.outcome] === verdict.value) &&
          words.every((word) => entry.text.includes(word));
        entry.row.hidden = !fits;
        shown += fits;
      });
      said.textContent = `${shown} of ${entries.length} claims shown`;
    };
    form.addEventListener("input", apply);
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("reset", () => setTimeout(apply));
    const asked = new URLSearchParams(window.location.search).get("verdict");
    if (asked && verdicts.includes(asked)) verdict.value = asked;
    const box = table.closest(".pst-scrollable-table-container") || table;
    box.before(form, said);
    apply();
  };

  const addSorting = (table, entries) => {
    const body = table.tBodies[0];
    const heads = [...table.tHead.rows[0].cells].filter((head) => SORTED.includes(head.textContent.trim()));
    heads.forEach((head) => {
      const name = head.textContent.trim();
      const button = make("button", { type: "button", class: "reprise-sort" }, name);
      head.replaceChildren(button);
      button.addEventListener("click", () => {
        const down = head.getAttribute("aria-sort") === "ascending";
        heads.forEach((other) => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        const sorted = [...entries].sort((a, b) => (down ? -1 : 1) * compare[name](a, b));
        body.append(...sorted.map((entry) => entry.row));
      });
    });
  };

  document.addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll("table.reprise-claims").forEach((table, place) => {
      const entries = [...table.tBodies[0].rows].map(read);
      addFilters(table, entries, place ? "of your run" : "as published");
      addSorting(table, entries);
    });
  });
})();
