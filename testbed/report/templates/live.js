"use strict";
// The live page: server-sent events come in, the charts and the tables grow, and the buttons give orders. Each migration
// that has ended gets its part of the report, with the report's own figures.
(() => {
  const $ = (id) => document.getElementById(id), token = $("main").dataset.token;
  history.replaceState(null, "", "/");  // the token was in the address; from now on the cookie has it
  const MOST = 1200;  // points of one chart: more than the screen shows; then every other one goes
  const rows = {};  // chart -> what it shows, of the migration that is under way
  const stale = new Set();
  let began = null, before = null, name = "", index = 0, total = 0, throttle = 0;

  const three = (value) => value >= 99.95 ? Math.round(value).toLocaleString("en") : value.toPrecision(3);
  function scaled(value, unit) {
    for (const [prefix, factor] of [["T", 1e12], ["G", 1e9], ["M", 1e6], ["k", 1e3]])
      if (value >= factor) return `${three(value / factor)} ${prefix}${unit}`;
    return `${three(value)} ${unit}`;
  }
  const seconds = (value) => value >= 1 ? `${three(value)} s` : `${three(value * 1e3)} ms`;
  const percent = (share) => `${Math.round(share * 100)} %`;

  function put(chart, row) {
    const kept = rows[chart] = rows[chart] || [];
    if (!kept.length) kept.push({ kind: "edge", t: 0, what: "precopy" });
    kept.push(row);
    if (kept.length > MOST) rows[chart] = thinned(kept);
    stale.add(chart);
  }
  function thinned(kept) {
    const odd = {};  // of each series by itself: they take turns in here
    return kept.filter((each) => each.kind !== "line" || (odd[each.what] = !odd[each.what]));
  }
  const point = (chart, t, value, what) => put(chart, { kind: "line", t, value, what });
  const step = (chart, t, end, value, what) => { for (const at of [t, end]) put(chart, { kind: "round", t: at, value, what }); };
  const edge = (at, what) => {
    if (began !== null) for (const chart of Object.keys(rows)) if (rows[chart].length) put(chart, { kind: "edge", t: at - began, what });
  };

  function show() {
    for (const chart of stale) {
      $(`panel-${chart}`).hidden = !rows[chart].length;
      if (rows[chart].length) FastMotion.update(chart, rows[chart]);  // a scale of nothing has no ends
    }
    stale.clear();
  }

  const badge = (text, kind) => { $("state").textContent = text; $("state").className = `badge ${kind}`; };
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
      began = before = null; name = event.name; index = event.index; total = event.total; throttle = 0;
      for (const chart of Object.keys(rows)) { rows[chart] = []; stale.add(chart); }
      badge(`migration ${index} of ${total}: ${name}`, "unknown");
      const long = event.expected_s === null ? "" : ` It is expected to take ${seconds(event.expected_s)}.`;
      $("answer").textContent = `${name} is being prepared.${long}`;
      $("throttle").value = 0; $("share").textContent = "0 %";
    },
    PhaseChanged(event) {
      if (event.phase === "precopy") began = event.at;
      edge(event.at, event.phase);
      $("under-way").disabled = !["precopy", "switchover"].includes(event.phase);
      badge(`migration ${index} of ${total}: ${event.phase}`, "unknown");
      $("answer").textContent = `${name}: ${event.phase}${event.detail ? `, ${event.detail}` : ""}`;
      if (event.phase === "cooldown") $("now").textContent = "";
    },
    Progress(event) {
      const left = `round ${event.round}: ${scaled(event.round_bytes - event.sent_bytes, "B")} of ${scaled(event.round_bytes, "B")} left`;
      const eta = event.left_s === null ? "" : `, about ${seconds(event.left_s)} to go`;
      const all = event.all_left_s === null || index === total ? "" : `, ${seconds(event.all_left_s)} for the whole run`;
      $("now").textContent = left + eta + all + (throttle ? `; the guest was throttled by ${percent(throttle)} in the last round` : "");
    },
    Sampled(event) {
      const last = before;
      before = event;
      if (!last || began === null || event.at <= last.at || event.link_bytes < last.link_bytes) return;
      const time = event.at - last.at, t = event.at - began;
      point("live-link", t, (event.link_bytes - last.link_bytes) / time / 1e6, "sent on the link");
      point("live-guest", t, Math.max(0, event.operations - last.operations) / time / 1e3, "guest");
      for (const [service, done] of Object.entries(event.services))
        point("live-services", t, Math.max(0, done - (last.services[service] || 0)) / time, service);
      if (event.silence_s !== null) point("live-silence", t, event.silence_s * 1e3, "client");
    },
    RoundFinished(event) {
      const done = event.round, end = done.started_s + done.duration_s, running = done.kind === "precopy";
      throttle = done.throttle;
      row("rows", [name, running ? done.index : `${done.index}, stunned`, scaled(done.sent_bytes, "B"),
        seconds(done.duration_s), scaled(done.bandwidth, "B/s"), scaled(done.dirtied_bytes, "B"), percent(done.throttle),
        event.decision ? event.decision.reason : running ? "no decision" : "the guest stood still: the last round"], (i) => i > 0 && i < 7);
      step("live-link", done.started_s, end, done.bandwidth / 1e6, "sent in a round");
      if (running) step("live-link", done.started_s, end, done.dirty_rate / 1e6, "dirtied in a round");
      if (running && (done.throttle || (rows["live-throttle"] || []).length))
        step("live-throttle", done.started_s, end, done.throttle * 100, "throttle");
      edge(began + end, `end of round ${done.index}`);
    },
    Controlled(event) {
      const value = event.value === null ? "" : ` ${event.what === "rate" ? scaled(event.value, "bit/s") : percent(event.value)}`;
      line(`by hand: ${event.what}${value}${event.fault ? `: not done, ${event.fault}` : ""}`);
      if (!event.fault) edge(event.at, `by hand: ${event.what}${value}`);
    },
    MigrationFinished(event) {
      badge(`${event.name}: ${event.outcome}`, event.valid ? "held" : "failed");
      $("answer").textContent = `${event.name}: ${event.outcome}, ${event.reason}${event.valid ? "" : " (not valid)"}`;
      $("now").textContent = "";
      $("under-way").disabled = true;
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
    if (heard[event.event]) Promise.resolve(heard[event.event](event)).catch(console.error);
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
      body: JSON.stringify({ what: order, value: value(order) }),
    });
    if (!answer.ok) line(`not done: ${(await answer.json()).fault}`);
  });
  $("hand").addEventListener("submit", (event) => event.preventDefault());
  setInterval(show, 1000);
})();
