"use strict";
// One switch for every figure of a page: as emulated, or at real-world size. Text has both (.em, .rw; page.css shows
// one); what a chart is at the other size stands beside it (charts/sizes.py). How a figure scales is the model's matter.
// The address keeps it: #size=real.
window.FullSize = (() => {
  const root = document.documentElement;
  let size = /(^#|&)size=real\b/.test(location.hash) ? "real" : "emulated";
  root.dataset.size = size;

  // A moment by a table of moments and those that they stand for; before and after it time goes alike.
  function moment(table, t) {
    const [from, to] = table, after = from.findIndex((each) => each > t);
    if (after < 1) { const edge = after < 0 ? from.length - 1 : 0; return to[edge] + t - from[edge]; }
    const share = (t - from[after - 1]) / (from[after] - from[after - 1]);
    return to[after - 1] + share * (to[after] - to[after - 1]);
  }

  function walk(part, see) {
    if (!part || typeof part !== "object") return;
    see(part);
    for (const [key, value] of Object.entries(part)) if (key !== "datasets" && key !== "usermeta") walk(value, see);
  }

  // The chart (its datasets are rows) at the size that was chosen; ``unpacked`` makes rows of packed ones.
  function apply(spec, unpacked) {
    const other = spec.usermeta && spec.usermeta.size;
    if (!other || other.made === size) return spec;
    const { by, clock, panels, titles, domain } = other, key = (row) => by ? row[by] : "";
    if (other.rows) for (const name of Object.keys(spec.datasets)) spec.datasets[name] = unpacked(other.rows);
    if (clock) for (const rows of Object.values(spec.datasets)) for (const row of rows) {
      const table = clock[key(row)];
      if (table) for (const field of ["t", "end"]) if (typeof row[field] === "number") row[field] = moment(table, row[field]);
    }
    const seen = new Set();
    for (const [index, factors] of (panels || []).entries()) walk((spec.vconcat || [spec])[index], (part) => {
      if (typeof part.name !== "string" || !spec.datasets[part.name] || seen.has(part.name)) return;
      seen.add(part.name);
      for (const row of spec.datasets[part.name]) for (const field of ["low", "mean", "high"])
        if (typeof row[field] === "number") row[field] *= factors[key(row)] ?? 1;
    });
    walk(spec, (part) => {
      const ends = part.scale && part.scale.domain;
      if (domain && part.field === "left" && ends) part.scale.domain = domain;
      if (clock && clock[""] && part.field === "t" && ends) part.scale.domain = ends.map((each) => moment(clock[""], each));
      if (titles && titles[part.title]) part.title = titles[part.title];
    });
    return spec;
  }

  function choose(chosen) {
    size = chosen;
    root.dataset.size = size;
    for (const button of document.querySelectorAll("button[data-size]")) button.setAttribute("aria-pressed", button.dataset.size === size);
  }

  addEventListener("DOMContentLoaded", () => choose(size));
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-size]");
    if (!button) return;
    choose(button.dataset.size);
    history.replaceState(null, "", size === "real" ? "#size=real" : "#");
    document.dispatchEvent(new Event("size"));
  });

  return { apply, moment, chosen: () => size };
})();
