"use strict";
// Charts over time share a cursor and a zoom: a moment that is pointed at in one of them is marked in all.
// Mouse: point; click to hold the moment (the memory map goes there); drag to zoom; double click for the whole time.
// Keyboard, on a chart: arrows move the cursor, + and - zoom, 0 or Escape shows the whole time.
window.TimeAxis = (() => {
  const drawn = new Map();  // id -> {place, view, plots, whole}
  let zoom = null, cursor = null;  // [from, to] and {t, of} as shown; ``of`` is the part of one migration, or ""

  const panels = (spec) => spec.vconcat || [spec];
  function xs(part, found = []) {
    if (part && part.encoding && part.encoding.x && part.encoding.x.field === "t") found.push(part.encoding.x);
    for (const layer of (part && part.layer) || []) xs(layer, found);
    return found;
  }

  // Ends of the axis become parameters of the chart: a zoom is a change of two numbers, and nothing is drawn anew.
  function prepare(name, spec) {
    const timed = panels(spec).map((panel) => xs(panel));
    if (name.startsWith("live-") || !timed.some((found) => found.length)) return;
    const given = timed.flat().map((x) => x.scale && x.scale.domain).find(Boolean);
    const whole = given || ends(Object.values(spec.datasets).flat());
    for (const x of timed.flat()) {
      const { domain, ...kept } = x.scale || {};
      x.scale = { ...kept, nice: false, zero: false, domainMin: { expr: "axis_from" }, domainMax: { expr: "axis_to" } };
    }
    const [from, to] = within(whole);
    spec.params = [...(spec.params || []), { name: "axis_from", value: from }, { name: "axis_to", value: to }];
    drawn.set(name, { whole, timed: timed.map((found) => found.length > 0) });
  }

  function ends(rows) {
    let [from, to] = [Infinity, -Infinity];
    for (const { t } of rows) if (typeof t === "number") { from = Math.min(from, t); to = Math.max(to, t); }
    return from < to ? [from, to] : [0, 1];
  }

  const within = (whole) => zoom && zoom[0] < whole[1] && zoom[1] > whole[0] ? zoom : whole;
  const ofMigration = (id) => (/^timeline-(.*)$/.exec(id) || ["", ""])[1];

  function attach(name, place, view, title) {
    const known = drawn.get(name);
    if (!known) return;
    const fresh = known.place !== place;
    Object.assign(known, { place, view });
    if (fresh) listen(name, place);
    place.tabIndex = 0;
    place.setAttribute("role", "group");
    place.setAttribute("aria-label", `${title}: arrows move a cursor, plus and minus zoom, 0 shows the whole time`);
    mark(name);
  }

  // Where time is drawn in it, in pixels of the screen.
  function plots({ place, timed }) {
    const several = timed.map((yes, index) => yes && place.querySelector(`svg .concat_${index}_group > g > path.background`));
    const found = timed.length > 1 ? several : [place.querySelector("svg .role-frame.root > g > path.background")];
    return found.filter(Boolean).map((each) => each.getBoundingClientRect());
  }

  function moment(name, event) {
    const known = drawn.get(name), [plot] = plots(known), [from, to] = within(known.whole);
    const share = plot && (event.clientX - plot.left) / plot.width;
    return plot && share >= 0 && share <= 1 ? from + share * (to - from) : null;
  }

  function listen(name, place) {
    let begun = null;
    place.addEventListener("pointerdown", (event) => {
      begun = event.target.closest("svg") && event.button === 0 ? { x: event.clientX, t: moment(name, event) } : null;
    });
    place.addEventListener("pointermove", (event) => {
      const t = moment(name, event);
      if (t === null) return;
      set(t, ofMigration(name), false);
      if (begun && begun.t !== null && event.buttons) band(name, begun.x, event.clientX);
    });
    place.addEventListener("pointerup", (event) => {
      const t = moment(name, event), from = begun && begun.t;
      band(name);
      if (begun && t !== null && from !== null)
        if (Math.abs(event.clientX - begun.x) > 6) to([Math.min(from, t), Math.max(from, t)]); else set(t, ofMigration(name), true);
      begun = null;
    });
    place.addEventListener("dblclick", () => to(null));
    place.addEventListener("keydown", (event) => { if (event.target === place && key(name, event.key)) event.preventDefault(); });
  }

  function key(name, pressed) {
    const [from, till] = within(drawn.get(name).whole), width = till - from;
    const held = cursor && cursor.t >= from && cursor.t <= till ? cursor.t : (from + till) / 2;
    const by = { ArrowLeft: -1, ArrowRight: 1 }[pressed];
    if (by) set(Math.min(till, Math.max(from, held + by * width / 100)), ofMigration(name), true);
    else if (pressed === "+" || pressed === "=") to([held - width / 4, held + width / 4]);
    else if (pressed === "-") to(wider(drawn.get(name).whole, held - width, held + width));
    else if (pressed === "0" || pressed === "Escape") to(null);
    else return false;
    return true;
  }

  const wider = (whole, from, till) => from <= whole[0] && till >= whole[1] ? null : [from, till];

  function to(chosen) {
    zoom = chosen && chosen[1] - chosen[0] > 1e-6 ? chosen : null;
    for (const [name, { view, whole }] of drawn) if (view) {
      button(name);
      const [from, till] = within(whole);
      view.signal("axis_from", from).signal("axis_to", till).runAsync().then(() => mark(name));
    }
  }

  // A button beside each chart, as long as there is something to undo.
  function button(name) {
    const { place } = drawn.get(name), figure = place.closest("figure"), beside = figure && figure.querySelector(".save");
    const there = beside && beside.querySelector(".whole");
    if (!zoom && there) {
      if (there === document.activeElement) place.focus({ preventScroll: true });
      there.remove();
    }
    if (!zoom || !beside || there) return;
    const made = Object.assign(document.createElement("button"), { type: "button", className: "whole", textContent: "whole time" });
    made.setAttribute("aria-label", `show the whole time: ${figure.querySelector("h2, h3, h4").textContent}`);
    beside.prepend(made, " ");
  }

  // ``firm``: held, so that the memory map goes there, too.
  function set(t, of, firm) {
    cursor = t === null ? null : { t, of };
    for (const name of drawn.keys()) mark(name);
    if (firm) document.dispatchEvent(new CustomEvent("moment", { detail: { t, of } }));
  }

  function line(place, kind) {
    return place.querySelector(`.${kind}`) || place.appendChild(Object.assign(document.createElement("div"), { className: kind }));
  }

  function mark(name) {
    const { place, view, whole, timed } = drawn.get(name);
    if (!view || !place.clientWidth) return;
    const at = line(place, "cursor"), found = plots({ place, timed }), [from, till] = within(whole), of = ofMigration(name);
    const shown = cursor && found.length && cursor.t >= from && cursor.t <= till && (!of || !cursor.of || of === cursor.of);
    at.hidden = !shown;
    if (!shown) return;
    const box = place.getBoundingClientRect(), [plot] = found, share = (cursor.t - from) / (till - from);
    const x = plot.left + share * plot.width - box.left;
    Object.assign(at.style, { left: `${x}px`, top: `${plot.top - box.top}px`, height: `${found.at(-1).bottom - plot.top}px` });
    at.dataset.t = `${cursor.t.toFixed(till - from < 2 ? 4 : 2)} s`;
    at.classList.toggle("left", share > 0.8);
  }

  function band(name, from, till) {
    const { place, timed } = drawn.get(name), at = line(place, "band");
    at.hidden = from === undefined;
    if (at.hidden) return;
    const box = place.getBoundingClientRect(), found = plots({ place, timed });
    Object.assign(at.style, { left: `${Math.min(from, till) - box.left}px`, width: `${Math.abs(till - from)}px`,
      top: `${found[0].top - box.top}px`, height: `${found.at(-1).bottom - found[0].top}px` });
  }

  document.addEventListener("size", () => { cursor = null; to(null); });
  document.addEventListener("click", (event) => { if (event.target.closest("button.whole")) to(null); });

  return { prepare, attach, set, zoom: to, state: () => ({ zoom, cursor }) };
})();
