"use strict";
// The memory map that plays: two hosts, cells that leave one and arrive at the other, dirty ones that are to go again.
//
//     FastMotion.memory(place, story) -> {show(t), add(round), play(), pause()}
//
// place   an empty element. Pages of ours have <div class="moves" data-story="JSON">, and these are made by themselves.
// story   {"cells": how many, "rounds": [round...], "end": s, "still": [from, to] s or null, "of": id of the chart that
//         has the rounds' cells (or each round has them itself), "name": the migration's}
// round   {"index", "kind", "begin": s, "end": s, "throttle": 0..1, "sent": [...], "dirtied": [...]}: shares of each
//         cell's pages, 0 to 1. A live page begins with no rounds, and adds each when its cells are known.
//
// Recorded is what a round sent and found dirty, when it began and ended, and its throttle. Drawn between is the order
// in which a round's cells leave (rising addresses, as the agents send them, evenly over its time) and their way across.
(() => {
  const root = document.documentElement, still = matchMedia("(prefers-reduced-motion: reduce)");
  const ROUND_S = 2.5, FLYING = 14, WAY = 0.04, MOST_GRID = 330, STRIP = 58;
  // Seconds that a round is shown for; cells drawn on their way at a time, and the share of a round that this takes; pixels.
  const clamp = (value, low = 0, high = 1) => Math.min(high, Math.max(low, value));
  const per_cent = (share) => `${Math.round(100 * share)} %`;

  function made(parent, tag, known = {}, text = "") {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(known)) element.setAttribute(name, value);
    element.textContent = text;
    return parent.appendChild(element);
  }

  // What the destination has not had, and what it has as it no longer is, when each round begins; shares of each cell.
  function states(cells, rounds) {
    const found = [{ never: new Float32Array(cells).fill(1), stale: new Float32Array(cells) }];
    for (const round of rounds) {
      const { never, stale } = found.at(-1), next = { never: never.slice(), stale: stale.slice() };
      for (let cell = 0; cell < cells; cell++) {
        [next.never[cell], next.stale[cell]] = carried(never[cell], stale[cell], round.sent[cell]);
        next.stale[cell] = Math.max(0, round.dirtied[cell] - next.never[cell]);
      }
      found.push(next);
    }
    return found;
  }

  // A cell when so much of it has been sent: what was written again goes first, then what never went.
  const carried = (never, stale, sent) => [Math.max(0, never - Math.max(0, sent - stale)), Math.max(0, stale - sent)];

  function cellsOf(story) {
    const chart = story.of && FastMotion.dataset(story.of);
    if (!chart) return story.rounds.filter((round) => round.sent);
    const { cell, round, sent, dirtied } = chart, known = new Map();
    for (const each of story.rounds)
      known.set(each.index, { ...each, sent: new Float32Array(story.cells), dirtied: new Float32Array(story.cells) });
    for (let i = 0; i < cell.length; i++) {
      const each = known.get(round[i]);
      if (each) { each.sent[cell[i]] = sent[i]; each.dirtied[cell[i]] = dirtied[i]; }
    }
    return [...known.values()];
  }

  // The style sheet's, as a canvas takes them: worked out by the browser, once for each light.
  const palettes = new Map();
  function colours() {
    const light = root.dataset.theme;
    if (palettes.has(light)) return palettes.get(light);
    const probe = made(document.body, "i", { hidden: "" }), found = {};
    for (const name of ["ink", "dim", "ground", "raised", "link", "cell", "sent", "again"]) {
      probe.style.color = `var(--${name})`;
      found[name] = getComputedStyle(probe).color;
    }
    probe.remove();
    palettes.set(light, found);
    return found;
  }

  function memory(place, story) {
    const rounds = cellsOf(story), columns = Math.ceil(Math.sqrt(story.cells)), rows = Math.ceil(story.cells / columns);
    let before = states(story.cells, rounds), t = rounds.length ? rounds[0].end : 0, playing = 0, last = 0;
    const end = () => Math.max(story.end || 0, rounds.length ? rounds.at(-1).end : 0) || 1;

    const part = place.id.replace(/^moves-/, "");  // of the page, this migration's

    place.replaceChildren();
    const map = made(place, "canvas", { role: "img", class: "map" });
    const strip = made(place, "canvas", { "aria-hidden": "true", class: "strip" });
    const hand = made(place, "div", { class: "hand" });
    const back = made(hand, "button", { type: "button", "aria-label": "to the round before" }, "◀");
    const button = made(hand, "button", { type: "button", class: "play" }, "play");
    const on = made(hand, "button", { type: "button", "aria-label": "to the next round" }, "▶");
    const bar = made(hand, "input", { type: "range", min: 0, max: 1000, step: 1, "aria-label": `moment of ${story.name}` });
    const pace = made(made(hand, "label", {}, "pace "), "select");
    for (const [value, text] of [["0", "each round alike"], ["1", "as recorded"], ["4", "four times as fast"]])
      made(pace, "option", { value }, text);
    const words = made(place, "p", { class: "moment" });

    // Index of the round under way, or -1; the share of its time that is over, above 1 when it has ended.
    function where() {
      let at = -1;
      while (at + 1 < rounds.length && rounds[at + 1].begin <= t) at++;
      const round = rounds[at];
      return { at, round, share: round ? (t >= round.end ? 2 : (t - round.begin) / (round.end - round.begin)) : 0 };
    }

    function said() {
      const { at, round, share } = where(), parts = [`${FastMotion.clock(t, story)} after the request`];
      if (round && share <= 1) parts.push(`round ${round.index} of ${rounds.at(-1).index}, ${per_cent(share)} of its time`);
      else if (round) parts.push(`round ${round.index} has ended: ${per_cent(mean(before[at + 1].stale))} of memory is to go again`);
      if (round && share <= 1 && round.throttle) parts.push(`throttle ${per_cent(round.throttle)}`);
      parts.push(`the guest ${guest()}`);
      return `${parts.join("; ")}.`;
    }
    const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
    function guest() {
      if (!story.still || t < story.still[0]) return "runs at the source";
      return t < story.still[1] ? "stands still" : `runs at the ${story.back ? "source" : "destination"}`;
    }

    function draw() {
      const width = place.clientWidth;
      if (!width) return;
      const found = colours(), colour = (name) => found[name];
      drawMap(width, colour);
      drawStrip(width, colour);
      bar.value = Math.round(1000 * t / end());
      const text = said();
      words.textContent = text;
      if (!playing) { map.setAttribute("aria-label", `memory of ${story.name} at two hosts: ${text}`); bar.setAttribute("aria-valuetext", text); }
    }

    function sized(canvas, width, height) {
      const dense = Math.min(3, devicePixelRatio || 1) * (root.dataset.printing ? 2 : 1), pen = canvas.getContext("2d");
      if (canvas.width !== Math.round(width * dense) || canvas.height !== Math.round(height * dense)) {
        canvas.width = Math.round(width * dense);
        canvas.height = Math.round(height * dense);
        canvas.style.aspectRatio = `${width} / ${height}`;
      }
      pen.setTransform(dense, 0, 0, dense, 0, 0);
      pen.clearRect(0, 0, width, height);
      pen.font = `${width < 500 ? 11 : 12}px ${getComputedStyle(document.body).fontFamily}`;
      return pen;
    }

    function drawMap(width, colour) {
      const grid = Math.min(MOST_GRID, (width - Math.max(34, width * 0.1)) / 2), size = grid / columns, top = 20;
      const pen = sized(map, width, top + rows * size + 2), right = width - grid;
      const { at, round, share } = where(), flying = [], state = before[share > 1 ? at + 1 : Math.max(0, at)];
      pen.fillStyle = colour("ink");
      for (const [x, host] of [[0, "source"], [right, "destination"]])
        pen.fillText(guest().endsWith(host) ? (grid < 200 ? `${host} ● guest` : `${host} ● the guest runs here`) : host, x, 13);
      const total = round && share <= 1 ? round.sent.reduce((sum, value) => sum + value, 0) : 0;
      let gone = 0;
      for (let cell = 0; cell < story.cells; cell++) {
        let never = state.never[cell], stale = state.stale[cell], arrived = true;
        if (total && round.sent[cell]) {
          const late = share - gone / total;  // how long ago it left, as a share of the round
          gone += round.sent[cell];
          arrived = late > (share < 1 ? WAY : 0);
          if (late > 0) [never, stale] = carried(never, stale, round.sent[cell]);
          if (late > 0 && !arrived) flying.push([cell, late / WAY]);
        }
        const x = (cell % columns) * size, y = top + Math.floor(cell / columns) * size, inner = Math.max(1, size - (size > 7 ? 1.5 : 0.8));
        drawCell(pen, x, y, inner, { stale, full: never }, colour);
        if (!arrived) { never = state.never[cell]; stale = state.stale[cell]; }
        drawCell(pen, right + x, y, inner, { stale, full: 1 - never - stale }, colour);
      }
      if (still.matches) return;
      pen.fillStyle = colour("ink");
      const every = Math.ceil(flying.length / FLYING);
      for (const [cell, way] of flying.filter((_, index) => index % every === 0)) {
        const x = (cell % columns) * size, y = top + Math.floor(cell / columns) * size;
        pen.fillRect(x + right * way, y, Math.max(3, size * 0.6), Math.max(3, size * 0.6));
      }
    }

    // Filled from below: as wide as the cell what is (still) the guest's, narrow on top of it what was written again.
    function drawCell(pen, x, y, size, { stale, full }, colour) {
      pen.fillStyle = colour("cell");
      pen.fillRect(x, y, size, size);
      pen.fillStyle = colour("sent");
      pen.fillRect(x, y + size * (1 - full), size, size * full);
      pen.fillStyle = colour("again");
      pen.fillRect(x + size * 0.28, y + size * (1 - full - stale), size * 0.44, size * stale);
    }

    function drawStrip(width, colour) {
      const pen = sized(strip, width, STRIP), at = (time) => width * clamp(time / end()), low = STRIP - 16;
      rounds.forEach((round, index) => {
        const x = at(round.begin), w = Math.max(1, at(round.end) - x);
        pen.fillStyle = colour(index % 2 ? "raised" : "cell");
        pen.fillRect(x, 0, w, low);
        pen.fillStyle = colour("dim");
        pen.fillRect(x, low * (1 - round.throttle), w, low * round.throttle);
        pen.fillStyle = colour(round.throttle > 0.6 ? "ground" : "ink");
        if (w > 14) pen.fillText(round.index, x + 3, 12);
        pen.fillStyle = colour("ground");
        if (round.throttle > 0.4 && w > 84) pen.fillText(`throttle ${per_cent(round.throttle)}`, x + 3, low - 6);
      });
      pen.fillStyle = colour("ink");
      if (story.still) pen.fillRect(at(story.still[0]), 0, Math.max(2, at(story.still[1]) - at(story.still[0])), low);
      pen.fillStyle = colour("dim");
      pen.fillText("0 s", 0, STRIP - 3);
      const text = FastMotion.clock(end(), story);
      pen.fillText(text, width - pen.measureText(text).width, STRIP - 3);
      pen.fillStyle = colour("link");
      pen.fillRect(clamp(at(t) - 1, 0, width - 2), 0, 2.5, low + 4);
    }

    function show(time, told = false) {
      t = clamp(time, 0, end());
      draw();
      if (!told) FastMotion.moment(part, t, story);
    }

    function step(now) {
      if (!playing) return;
      const passed = Math.min(0.1, (now - last) / 1000), { round, share } = where();
      last = now;
      // With "each round alike" what lies between rounds goes by as fast as the round before it did.
      const speed = +pace.value || (round ? Math.max(1e-6, round.end - round.begin) / ROUND_S : Math.max(0.05, rounds[0] ? rounds[0].begin : 1));
      let next = t + passed * speed;
      if (round && share < 1 && next > round.end) next = round.end;  // what it left is seen before the next begins
      show(next);
      if (t >= end()) pause(); else playing = requestAnimationFrame(step);
    }

    // Who wants no motion is shown one round's end after the other.
    function stepped() {
      const next = rounds.find((round) => round.end > t + 1e-9);
      show(next ? next.end : end());
      if (t >= end()) pause(); else playing = setTimeout(stepped, 1000 * ROUND_S);
    }

    function play() {
      if (playing) return;
      if (t >= end()) t = 0;
      last = performance.now();
      button.textContent = "pause";
      place.dataset.playing = "yes";
      playing = still.matches ? setTimeout(stepped, 200) : requestAnimationFrame(step);
    }

    function pause() {
      if (!playing) return;
      clearTimeout(playing);
      cancelAnimationFrame(playing);
      playing = 0;
      button.textContent = "play";
      delete place.dataset.playing;
      draw();
    }

    function jump(by) {
      const ends = [0, ...rounds.map((round) => round.end), end()];
      show(by > 0 ? ends.find((each) => each > t + 1e-9) ?? end() : ends.filter((each) => each < t - 1e-9).at(-1) ?? 0);
    }

    const scrub = (event) => { pause(); show(end() * (event.clientX - strip.getBoundingClientRect().left) / strip.clientWidth); };
    button.addEventListener("click", () => playing ? pause() : play());
    back.addEventListener("click", () => { pause(); jump(-1); });
    on.addEventListener("click", () => { pause(); jump(1); });
    bar.addEventListener("input", () => { const chosen = end() * bar.value / 1000; pause(); show(chosen); });
    bar.addEventListener("keydown", (event) => {
      const by = { PageUp: 1, PageDown: -1 }[event.key];
      if (event.key === " ") button.click();
      else if (by) { pause(); jump(by); } else return;
      event.preventDefault();
    });
    strip.addEventListener("pointerdown", (event) => { strip.setPointerCapture(event.pointerId); scrub(event); });
    strip.addEventListener("pointermove", (event) => { if (event.buttons) scrub(event); });
    new ResizeObserver(() => requestAnimationFrame(draw)).observe(place);
    new MutationObserver(draw).observe(root, { attributes: true, attributeFilter: ["data-theme", "data-size"] });
    addEventListener("beforeprint", () => { pause(); root.dataset.printing = "yes"; draw(); });
    addEventListener("afterprint", () => { delete root.dataset.printing; draw(); });
    document.addEventListener("moment", ({ detail }) => { if (part && detail.of === part) { pause(); show(FastMotion.emulated(detail.t, story), true); } });

    function add(round) {
      rounds.push(round);
      before = states(story.cells, rounds);
      draw();
    }
    draw();
    return { show, add, play, pause, at: () => ({ t, ...where(), playing: Boolean(playing) }), ended: () => before.at(-1) };
  }

  const maps = FastMotion.maps = new Map();
  function find() {
    for (const place of document.querySelectorAll(".moves[data-story]:not([data-ready])")) {
      const story = JSON.parse(place.dataset.story);
      if (story.of && !FastMotion.dataset(story.of)) continue;
      place.dataset.ready = "yes";
      maps.set(place.id, memory(place, story));
    }
  }
  FastMotion.memory = memory;
  document.addEventListener("fed", find);
  find();
})();
