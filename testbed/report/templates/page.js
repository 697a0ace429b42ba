"use strict";
// Draws the charts when they come into view, in the page's width and light. A live page feeds it through FastMotion.
(() => {
  const read = (id) => JSON.parse(document.getElementById(id).textContent);
  const charts = read("charts"), themes = read("themes"), root = document.documentElement;
  const drawn = new Map();  // name -> what vegaEmbed gave
  const queues = new Map();  // name -> the promise of its last drawing
  const dark = matchMedia("(prefers-color-scheme: dark)");
  let chosen = null, printing = false;

  const theme = () => printing ? "light" : chosen || (dark.matches ? "dark" : "light");

  function repeated(runs) {
    const values = [];
    for (let i = 0; i < runs.length; i += 2) for (let left = runs[i + 1]; left > 0; left--) values.push(runs[i]);
    return values;
  }

  function column(columns, name, n) {
    const packed = columns[name];
    if (Array.isArray(packed)) return packed;
    if (packed.runs) return repeated(packed.runs);
    if (packed.steps) { let sum = 0; return repeated(packed.steps).map((step) => sum += step); }
    return packed.as !== undefined ? column(columns, packed.as, n) : packed.of.map((i) => packed.words[i]);
  }

  function rows(data) {
    if (Array.isArray(data)) return data;
    const { n, columns } = data;
    const names = Object.keys(columns), values = names.map((name) => column(columns, name, n));
    return Array.from({ length: n }, (_, i) => Object.fromEntries(names.map((name, j) => [name, values[j][i]])));
  }

  // Widths are those of a wide page in the definition; here they follow the page. ``beside``: what labels take of it.
  function fitted(name, spec, room, beside) {
    const made = structuredClone(spec);
    made.datasets = Object.fromEntries(Object.entries(spec.datasets || {}).map(([name, data]) => [name, rows(data)]));
    FullSize.apply(made, rows);
    delete made.usermeta;
    const plot = Math.max(120, room - beside);
    if (made.params) made.height *= plot / made.width;  // a picture keeps its proportions
    for (const part of made.vconcat || [made]) if (typeof part.width === "number") part.width = plot;
    TimeAxis.prepare(name, made);
    const names = Object.values(made.datasets).flat();
    for (const part of made.vconcat || [made]) rowsNamed(part, names, room);
    named({ ...made, datasets: null }, names, room, plot);
    return made;
  }

  // Names are set in as many lines as they need, and rows are as high as that: what sets them apart often comes last.
  function inLines(rows, field, limit, type) {
    const names = [...new Set(rows.map((row) => row[field]).filter((each) => typeof each === "string"))];
    return Object.fromEntries(names.map((each) => [each, lines(each, limit / type * 1.5)]));
  }

  const labelled = (laid) => ({ labelExpr: `(${JSON.stringify(laid)})[datum.label] || datum.label` });

  function rowsNamed(part, rows, room) {
    const narrow = room < NARROW, type = narrow ? 10 : 11, limit = narrow ? room * 0.36 : 260;
    let most = 1;
    const set = (of) => {
      const y = of.encoding && of.encoding.y;
      if (y && y.axis && y.axis.labelLimit) {
        const laid = inLines(rows, y.field, limit, type);
        const high = Object.values(laid).map((each) => Array.isArray(each) ? each.length : 1);
        most = Math.max(most, ...high);
        const up = high.length ? (Math.min(...high) - 1) * (type + 1) / 2 : 0;  // lines go down from a row's middle
        Object.assign(y.axis, { labelOffset: -up, labelLimit: limit, labelFontSize: type, labelLineHeight: type + 1, ...labelled(laid) });
      }
      for (const layer of of.layer || []) set(layer);
    };
    set(part);
    if (part.height && part.height.step) part.height = { step: Math.max(part.height.step, most * (type + 1) + 6) };
  }

  const NARROW = 500;  // pixels: a phone
  // A legend begins where its plot does, and is no wider: on a phone one name below the other. There a title is in lines,
  // too: what is wider than the page would shrink its type.
  function named(part, rows, room, plot) {
    for (const [key, value] of Object.entries(part || {})) {
      if (!value || typeof value !== "object") continue;
      if (value.field && value.legend) {
        if (room < NARROW) Object.assign(value.legend, { columns: 1, labelLimit: plot - 20, titleLimit: room - 20, gradientLength: room / 2 });
        if (value.legend.labelLimit) Object.assign(value.legend, labelled(inLines(rows, value.field, value.legend.labelLimit, 11)));
      }
      if (room < NARROW && key === "x" && typeof value.title === "string") value.title = lines(value.title, plot / 6);
      named(value, rows, room, plot);
    }
  }

  function lines(text, most) {
    const made = [""];
    for (const word of text.split(" "))
      if (made.at(-1) && made.at(-1).length + word.length >= most) made.push(word);
      else made[made.length - 1] = `${made.at(-1)} ${word}`.trim();
    return made.length > 1 ? made : text;
  }

  const labels = (spec) => /"axis":\{[^}]*"labelLimit"/.test(JSON.stringify({ ...spec, datasets: 0 }));

  // One after the other: two at once would be in each other's way in the same element.
  function draw(name) {
    const next = (queues.get(name) || Promise.resolve()).catch(() => {}).then(() => drawNow(name));
    queues.set(name, next);
    return next;
  }

  // Resized: a name that is new in the legend wants room that there was none for.
  function takeIn(name, view) {
    view.data("rows", charts[name].datasets.rows.map((row) => ({ ...row }))).resize().runAsync().catch(report);
  }

  async function drawNow(name) {
    const place = document.getElementById(name);
    if (!place || !charts[name] || !place.clientWidth) return;
    const room = place.clientWidth, key = `${theme()} ${room} ${charts[name].usermeta ? FullSize.chosen() : ""}`;
    if (place.dataset.key === key) return;
    place.dataset.key = key;
    const before = drawn.get(name), chart = charts[name], { datasets } = chart;
    const state = before && settings(before.view);
    const config = { ...themes[theme()] };
    const embed = async (beside) => {
      const spec = fitted(name, charts[name], room, beside);
      spec.description = titleOf(name);
      for (const param of spec.params || []) if (state && param.name in state) param.value = state[param.name];
      return vegaEmbed(place, spec, { actions: false, renderer: "svg", config, tooltip: { theme: theme() } });
    };
    const beside = charts[name].params ? 12 : labels(charts[name]) ? Math.min(190, room * 0.4) : 84;
    let made = await embed(beside);
    const over = Number(place.querySelector("svg").getAttribute("width")) - room;
    if (over > room * 0.04) {  // its labels take more than was thought
      made.finalize();
      made = await embed(beside + over);
    }
    if (before) before.finalize();
    drawn.set(name, made);
    if (chart.datasets !== datasets) takeIn(name, made.view);  // came in meanwhile
    TimeAxis.attach(name, place, made.view, titleOf(name));
    place.dataset.drawn = "yes";
    performance.mark(`drawn ${name}`);
    for (const input of place.querySelectorAll(".vega-bind input, .vega-bind select"))
      input.setAttribute("aria-label", `${input.closest(".vega-bind").querySelector(".vega-bind-name").textContent.trim()}: ${titleOf(name)}`);
  }

  // What a chart shows, and of which migration where there are several.
  function titleOf(name) {
    const title = document.getElementById(`${name}-title`), part = title && title.closest("details.migration");
    return [title, part && part.querySelector("summary h3")].filter(Boolean).map((each) => each.textContent).join(", ") || name;
  }

  function settings(view) {
    const found = {};
    for (const name of ["chosen", "shown"]) try { found[name] = view.signal(name); } catch { /* this chart has none */ }
    return found;
  }

  const near = new IntersectionObserver((seen) => {
    for (const entry of seen) if (entry.isIntersecting) draw(entry.target.id).catch(report);
  }, { rootMargin: "300px" });

  function report(error) { console.error(error); }

  const places = () => [...document.querySelectorAll(".chart")];
  function redraw() {
    root.dataset.theme = theme();
    return Promise.all(places().filter((place) => place.dataset.key).map((place) => draw(place.id)));
  }
  function drawAll() { return Promise.all(places().map((place) => draw(place.id))); }

  async function save(name, kind) {
    const made = drawn.get(name);
    if (!made) return;
    const link = document.createElement("a");
    link.download = `${name}.${kind}`;
    link.href = await made.view.toImageURL(kind, kind === "png" ? 2 : 1);
    link.click();
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    if (button.id === "theme") { chosen = theme() === "dark" ? "light" : "dark"; redraw().catch(report); }
    else if (button.dataset.save) save(button.dataset.chart, button.dataset.save).catch(report);
  });
  // A link into a folded part opens it, and goes there again: before it was open, the page may have ended above.
  function reveal() {
    let name = location.hash.slice(1);
    try { name = decodeURIComponent(name); } catch { /* as it is: whoever made the link wrote no percent code */ }
    const target = document.getElementById(name);
    if (!target || target.tagName !== "DETAILS" || target.open) return;
    target.open = true;
    target.scrollIntoView({ behavior: "instant" });
  }
  addEventListener("hashchange", reveal);
  document.addEventListener("size", () => redraw().catch(report));
  dark.addEventListener("change", () => redraw().catch(report));
  let waiting;
  addEventListener("resize", () => { clearTimeout(waiting); waiting = setTimeout(() => redraw().catch(report), 150); });
  addEventListener("beforeprint", () => {
    printing = true;
    for (const part of document.querySelectorAll("details")) part.open = true;
    root.dataset.theme = "light";
    drawAll().catch(report);
  });
  addEventListener("afterprint", () => { printing = false; redraw().catch(report); });

  root.dataset.theme = theme();
  reveal();
  for (const place of places()) near.observe(place);

  // The columns of a chart that has one dataset; null where there is no such chart (yet).
  function dataset(name) {
    const [data] = Object.values((charts[name] || {}).datasets || {});
    if (!data || Array.isArray(data)) return null;
    return Object.fromEntries(Object.keys(data.columns).map((each) => [each, column(data.columns, each, data.n)]));
  }

  const seconds = (t) => `${t.toFixed(t >= 100 ? 0 : t >= 10 ? 1 : 3)} s`;

  window.FastMotion = {
    drawAll,
    dataset,
    views: drawn,
    // A moment of a story of memory.js, at the size that was chosen.
    clock: (t, story) => seconds(FullSize.chosen() === "real" && story.clock ? FullSize.moment(story.clock, t) : t),
    // A moment of a migration that the memory map shows, marked in the charts of that migration.
    moment(of, t, story) { TimeAxis.set(FullSize.chosen() === "real" && story.clock ? FullSize.moment(story.clock, t) : t, of, false); },
    // And of a moment that was chosen in a chart.
    emulated: (t, story) => FullSize.chosen() === "real" && story.clock ? FullSize.moment([story.clock[1], story.clock[0]], t) : t,
    // A live page: the rows of a chart whose data is named "rows", from now on; what is drawn only takes them in.
    update(name, kept) {
      charts[name].datasets = { rows: kept };
      if (drawn.has(name)) takeIn(name, drawn.get(name).view);
    },
    // And charts by name, packed as above; those that are there already are drawn anew.
    feed(fresh) {
      for (const [name, spec] of Object.entries(fresh)) {
        charts[name] = spec;
        const place = document.getElementById(name);
        if (place) { delete place.dataset.key; near.unobserve(place); near.observe(place); }
      }
      document.dispatchEvent(new Event("fed"));
    },
  };
})();
