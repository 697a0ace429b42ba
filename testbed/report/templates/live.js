"use strict";
// The live page: server-sent events come in, the charts and the tables grow, and the buttons give orders. Each migration
// that has ended gets its part of the report, with the report's own figures.
(() => {
  const $ = (id) => document.getElementById(id), token = $("main").dataset.token;
  history.replaceState(null, "", "/");  // the token was in the address; from now on the cookie has it
  const MOST = 1200;  // points of one chart: more than the screen shows; then every other one goes
  const charts = new Set(), stale = new Set();
  const migrations = new Map();  // by identity: what is known of each, and what its charts show
  let shown = null;  // the one that the page shows, and that the buttons mean

  const identity = (key) => JSON.stringify([key.name, key.repeat, key.guest]);
  const blank = (key) => ({ id: identity(key), key, rows: {}, index: 0, total: 0, started: null, stage: -1, goal: null, began: null, before: null, throttle: 0, over: false,
    badge: ["", "unknown"], answer: "", now: "", orders: false });
  const of = (key) => migrations.get(identity(key)) || blank(key);  // one that never began is kept nowhere
  const label = (key) =>
    key.name + (key.repeat === 1 ? "" : ` (repeat ${key.repeat})`) + (key.guest === "vm" ? "" : `, guest ${key.guest}`);
  const underWay = () => [...migrations.values()].filter((each) => !each.over);

  const three = (value) => value >= 99.95 ? Math.round(value).toLocaleString("en") : value.toPrecision(3);
  function scaled(value, unit) {
    for (const [prefix, factor] of [["T", 1e12], ["G", 1e9], ["M", 1e6], ["k", 1e3]])
      if (value >= factor) return `${three(value / factor)} ${prefix}${unit}`;
    return `${three(value)} ${unit}`;
  }
  const seconds = (value) => value >= 1 ? `${three(value)} s` : `${three(value * 1e3)} ms`;
  const percent = (share) => `${Math.round(share * 100)} %`;

  function put(m, chart, row) {
    const kept = m.rows[chart] = m.rows[chart] || [];
    const first = !kept.length;
    if (first) kept.push({ kind: "edge", t: 0, what: "precopy", mark: "phase" });
    kept.push(row);
    if (kept.length > MOST) m.rows[chart] = thinned(kept);
    charts.add(chart);
    if (m === shown) { stale.add(chart); if (first) show(); }  // who has just come sees something at once
  }
  function thinned(kept) {
    const odd = {};  // of each series by itself: they take turns in here
    return kept.filter((each) => each.kind !== "line" || (odd[each.what] = !odd[each.what]));
  }
  const point = (m, chart, t, value, what) => put(m, chart, { kind: "line", t, value, what });
  const step = (m, chart, t, end, value, what) => { for (const at of [t, end]) put(m, chart, { kind: "round", t: at, value, what }); };
  const edge = (m, at, what, mark) => {
    if (m.began !== null) for (const chart of Object.keys(m.rows)) put(m, chart, { kind: "edge", t: at - m.began, what, mark });
  };
  const byHand = (what) => ["cut", "mend"].includes(what) ? what : "hand";

  function show() {
    for (const chart of stale) {
      const kept = shown.rows[chart] || [];
      $(`panel-${chart}`).hidden = !kept.length;
      $("marks").hidden = $("marks").hidden && !kept.length;
      if (kept.length) FastMotion.update(chart, kept);  // a scale of nothing has no ends
    }
    stale.clear();
  }

  const badge = (text, kind) => { $("state").textContent = text; $("state").className = `badge ${kind}`; };
  function say(m, changes) {
    Object.assign(m, changes);
    if (m !== shown) return;
    badge(...m.badge);
    $("answer").textContent = m.answer;
    $("now").textContent = m.now;
    $("under-way").disabled = !m.orders;
    stages(m);
  }
  // What a migration goes through, in order, and where it is: there is something to see before anything is sent.
  const STAGES = { network: "the network is built", guest: "the guest is started", calibrate: "the link is proved", warmup: "the guest warms up",
    precopy: "memory is sent", switchover: "the guest switches over", cooldown: "it runs on", verify: "all is checked" };
  function stages(m) {
    $("stages").hidden = !m.started || m.over;
    $("stages").replaceChildren(...Object.values(STAGES).map((words, i) => {
      const item = document.createElement("li");
      item.textContent = words;
      if (i < m.stage) item.className = "done";
      if (i === m.stage) item.setAttribute("aria-current", "step");
      return item;
    }));
  }
  // Who stands with the keyboard on what goes, or can be pressed no more, is taken to the state, from which all else follows;
  // and not to a like button of another migration, which the next press of the key would then mean.
  function withPlace(change) {
    const held = document.activeElement, done = change();
    if (held && held !== document.body && (held.matches(":disabled") || !held.checkVisibility())) $("state").focus({ preventScroll: true });
    return done;
  }
  function choose(m) {
    shown = m;
    for (const chart of charts) stale.add(chart);
    $("throttle").value = 0; $("share").textContent = "0 %";
    say(m, {});
    offer();
  }
  function offer() {  // a choice where there is one
    for (const each of [...migrations.values()]) if (each.over && each !== shown) migrations.delete(each.id);
    $("which").replaceChildren(...[...migrations.values()].map((each) => new Option(label(each.key), each.id, false, each === shown)));
    $("choice").hidden = migrations.size < 2;
  }
  const line = (text) => { const item = document.createElement("li"); item.textContent = text; $("done").append(item); };
  function row(body, cells, right) {
    const made = document.createElement("tr");
    cells.forEach((text, i) => {
      const cell = document.createElement("td");
      if (text instanceof Node) cell.append(text); else cell.textContent = text;
      if (right(i)) cell.className = "n";
      made.append(cell);
    });
    $(body).append(made);
  }
  function link(text, href) {
    const made = document.createElement("a");
    made.textContent = text; made.href = href;
    return made;
  }

  const heard = {
    Reload() { source.close(); location.reload(); },
    MigrationStarted(event) {
      const long = event.expected_s === null ? "" : ` It is expected to take ${seconds(event.expected_s)}${
        event.expected_why_not ? `, and not to complete: ${event.expected_why_not}` : ""}.`;
      const m = Object.assign(blank(event.migration), { index: event.index, total: event.total, started: event.at, goal: event.goal_s,
        badge: [`migration ${event.index} of ${event.total}: ${event.name}`, "unknown"], answer: `${event.name} is being prepared.${long}` });
      migrations.set(m.id, m);
      choose(m);
    },
    PhaseChanged(event, m) {
      if (event.phase === "precopy") m.began = event.at;
      edge(m, event.at, event.phase, "phase");
      say(m, { stage: Math.max(m.stage, Object.keys(STAGES).indexOf(event.phase)), orders: ["precopy", "switchover"].includes(event.phase), now: event.phase === "cooldown" ? "" : m.now,
        badge: [`migration ${m.index} of ${m.total}: ${event.phase}`, "unknown"],
        answer: `${m.key.name}: ${event.phase}` });
    },
    Progress(event, m) {
      if (m.began !== null) point(m, "live-left", event.at - m.began, (event.round_bytes - event.sent_bytes) / 1e6, "left of the round");
      const left = `round ${event.round}: ${scaled(event.round_bytes - event.sent_bytes, "B")} of ${scaled(event.round_bytes, "B")} left`;
      const eta = event.left_s === null ? "" : `, about ${seconds(event.left_s)} to go`;
      const all = event.all_left_s === null || m.index === m.total ? "" : `, ${seconds(event.all_left_s)} for the whole run`;
      say(m, { now: left + eta + all + (m.throttle ? `; the guest was throttled by ${percent(m.throttle)} in the last round` : "") });
    },
    Sampled(event, m) {
      const last = m.before;
      m.before = event;
      if (!last || m.began === null || event.at <= last.at || event.link_bytes < last.link_bytes) return;
      const time = event.at - last.at, t = event.at - m.began;
      point(m, "live-link", t, (event.link_bytes - last.link_bytes) / time / 1e6, "sent on the link");
      point(m, "live-guest", t, Math.max(0, event.operations - last.operations) / time / 1e3, "guest");
      for (const [service, done] of Object.entries(event.services))
        point(m, "live-services", t, Math.max(0, done - (last.services[service] || 0)) / time, service);
      if (event.silence_s !== null) point(m, "live-silence", t, event.silence_s * 1e3, "client");
    },
    RoundFinished(event, m) {
      const done = event.round, end = done.started_s + done.duration_s, running = done.kind === "precopy";
      m.throttle = done.throttle;
      row("rows", [label(m.key), running ? done.index : `${done.index}, stunned`, scaled(done.sent_bytes, "B"),
        seconds(done.duration_s), scaled(done.bandwidth, "B/s"), scaled(done.dirtied_bytes, "B"), percent(done.throttle),
        event.decision ? event.decision.reason : running ? "no decision" : "the guest stood still: the last round"], (i) => i > 0 && i < 7);
      step(m, "live-link", done.started_s, end, done.bandwidth / 1e6, "sent in a round");
      if (running) step(m, "live-link", done.started_s, end, done.dirty_rate / 1e6, "dirtied in a round");
      if (running && (done.throttle || (m.rows["live-throttle"] || []).length))
        step(m, "live-throttle", done.started_s, end, done.throttle * 100, "throttle");
      if (running) {
        const next = { kind: "round", t: end };
        put(m, "live-left", { ...next, value: done.dirtied_bytes / 1e6, what: "left at a round's end" });
        if (m.goal !== null) put(m, "live-left", { ...next, value: m.goal * done.bandwidth / 1e6, what: `goal: sent within ${seconds(m.goal)}` });
      }
      edge(m, m.began + end, `end of round ${done.index}`, "round");
    },
    Controlled(event, m) {
      const value = event.value === null ? "" : ` ${event.what === "rate" ? scaled(event.value, "bit/s") : percent(event.value)}`;
      const whose = m && underWay().length > 1 ? `${label(m.key)}, ` : "";
      line(`${whose}by hand: ${event.what}${value}${event.fault ? `: not done, ${event.fault}` : ""}`);
      if (!event.fault) edge(m, event.at, `by hand: ${event.what}${value}`, byHand(event.what));
    },
    FaultInjected(event, m) {
      const whose = m && underWay().length > 1 ? `${label(m.key)}, ` : "";
      line(`${whose}fault: ${event.phase}:${event.what}${event.fault ? `: not done, ${event.fault}` : ""}`);
      if (!event.fault) edge(m, event.at, `fault: ${event.phase}:${event.what}`, byHand(event.what));
    },
    MigrationFinished(event, m) {
      say(m, { over: true, orders: false, now: "", badge: [`${event.name}: ${event.outcome}`, event.valid ? "held" : "failed"],
        answer: `${event.name}: ${event.outcome}, ${event.reason}${event.valid ? "" : " (not valid)"}` });
      if (shown === m && underWay().length) choose(underWay().pop()); else offer();
      const part = event.section;
      if (!part) return;
      $("finished").hidden = false;
      const reasons = event.valid ? "yes" : `no: ${part.reasons.join("; ")}`;
      row("ended", [link(part.title, `#${part.id}`), event.outcome, ...part.cells, reasons], (i) => i > 1 && i < 2 + part.cells.length);
      $("sections").insertAdjacentHTML("beforeend", part.html);  // from our own templates, which escape
      FastMotion.feed(part.charts);
    },
    async Ended(event) {
      source.close();
      for (const button of document.querySelectorAll("[data-order]")) button.disabled = true;
      $("choice").hidden = true;
      const words = event.valid === null ? "the run was broken off" : event.valid ? "the run has ended and is valid" : "the run has ended and is not valid";
      badge(words, event.valid ? "held" : "failed");
      const why = event.reason ? `${event.reason}. ` : "";
      $("answer").textContent = `${why}Its files are in ${event.folder}. `;
      $("now").textContent = "";
      if (event.report_there) await keep();
      document.body.dataset.over = "yes";
    },
  };

  // The server goes soon after the end: what is linked has to be here.
  async function keep() {
    const answer = await fetch("/report");
    if (!answer.ok) return;
    const made = link("the report", URL.createObjectURL(new Blob([await answer.text()], { type: "text/html" })));
    made.id = "report"; made.target = "_blank";
    $("answer").append(made);
  }

  const source = new EventSource("/events");
  let count = 0;
  source.onmessage = (message) => {
    const event = JSON.parse(message.data);
    document.body.dataset.events = ++count;
    const m = event.migration ? of(event.migration) : null;
    if (heard[event.event]) Promise.resolve(withPlace(() => heard[event.event](event, m))).catch(console.error);
  };
  source.onerror = () => {
    $("now").textContent = source.readyState !== EventSource.CLOSED ? "no connection to the run; trying again"
      : "another run is here now: open the address that it printed";
  };

  function value(order) {
    if (order === "rate") return Number($("rate").value) * 1e6;
    if (order === "throttle") return Number($("throttle").value) / 100;
    return null;
  }
  $("throttle").addEventListener("input", () => { $("share").textContent = `${$("throttle").value} %`; });
  $("hand").addEventListener("click", async (event) => {
    const order = event.target.dataset && event.target.dataset.order;
    if (!order) return;
    const answer = await fetch("/order", {
      method: "POST", headers: { "Content-Type": "application/json", "X-Token": token },
      body: JSON.stringify({ what: order, value: value(order), migration: shown && shown.key }),
    });
    if (!answer.ok) line(`not done: ${(await answer.json()).fault}`);
  });
  $("which").addEventListener("change", (event) => withPlace(() => choose(migrations.get(event.target.value))));
  $("hand").addEventListener("submit", (event) => event.preventDefault());
  // Enter in a field gives the order whose field it is.
  for (const order of ["rate", "throttle"])
    $(order).addEventListener("keydown", (event) => { if (event.key === "Enter") $("hand").querySelector(`[data-order=${order}]`).click(); });
  setInterval(() => withPlace(show), 1000);
})();
