"use strict";
// The live page: server-sent events come in, the charts and the table grow, and the buttons give orders.
(() => {
  const $ = (id) => document.getElementById(id), token = $("main").dataset.token;
  const charts = JSON.parse($("charts").textContent);
  const rows = Object.fromEntries(Object.keys(charts).map((name) => [name, []]));
  const MOST = 1500;  // points of one chart: more than the screen shows; then every other one goes
  let began = null, before = null, name = "", index = 0, total = 0, stale = false, left = 0, dirty = 0, throttle = 0;

  const three = (value) => value >= 99.95 ? Math.round(value).toLocaleString("en") : value.toPrecision(3);
  function scaled(value, unit) {
    for (const [prefix, factor] of [["T", 1e12], ["G", 1e9], ["M", 1e6], ["k", 1e3]])
      if (value >= factor) return `${three(value / factor)} ${prefix}${unit}`;
    return `${three(value)} ${unit}`;
  }
  const seconds = (value) => value >= 1 ? `${three(value)} s` : `${three(value * 1e3)} ms`;

  function point(chart, t, value, what) {
    const kept = rows[chart];
    kept.push({ t, value, what });
    if (kept.length > MOST) rows[chart] = kept.filter((_, i) => i % 2);
    stale = true;
  }

  function show() {
    if (!stale) return;
    stale = false;
    for (const [chart, kept] of Object.entries(rows)) {
      if (!kept.length) continue;
      const key = Object.keys(charts[chart].datasets)[0];
      const columns = Object.fromEntries(["t", "value", "what"].map((part) => [part, kept.map((row) => row[part])]));
      charts[chart].datasets[key] = { n: kept.length, columns };
    }
    FastMotion.feed(charts);
  }

  const badge = (text, kind) => { $("state").textContent = text; $("state").className = `badge ${kind}`; };
  const line = (text) => { const item = document.createElement("li"); item.textContent = text; $("done").append(item); };

  const heard = {
    MigrationStarted(event) {
      began = before = null; name = event.name; index = event.index; total = event.total; dirty = throttle = 0;
      for (const chart of Object.keys(rows)) rows[chart] = [];
      stale = true;
      badge(`migration ${index} of ${total}: ${name}`, "unknown");
      $("answer").textContent = `${name} is being prepared.`;
    },
    PhaseChanged(event) {
      if (event.phase === "precopy") began = event.at;
      badge(`migration ${index} of ${total}: ${event.phase}`, "unknown");
      $("answer").textContent = `${name}: ${event.phase}${event.detail ? `, ${event.detail}` : ""}`;
    },
    Progress(event) {
      left = event.round_bytes - event.sent_bytes;
      const rate = before && before.rate, ratio = rate ? dirty / rate : 1;
      const eta = rate && ratio < 1 ? `, at most ${seconds(left / rate / (1 - ratio))} to go` : "";
      $("now").textContent = `round ${event.round}: ${scaled(left, "B")} of ${scaled(event.round_bytes, "B")} left${eta}`
        + (throttle ? `; the guest is throttled by ${Math.round(throttle * 100)} %` : "");
    },
    Sampled(event) {
      const since = began === null ? event.at : began, last = before;
      before = { at: event.at, link: event.link_bytes, operations: event.operations, rate: 0 };
      if (!last || event.at <= last.at || event.link_bytes < last.link) return;
      const time = event.at - last.at;
      before.rate = (event.link_bytes - last.link) / time;
      if (began === null) return;
      point("live-link", event.at - since, before.rate / 1e6, "sent by the source");
      point("live-guest", event.at - since, Math.max(0, event.operations - last.operations) / time, "operations");
    },
    RoundFinished(event) {
      const done = event.round, row = document.createElement("tr");
      dirty = done.dirty_rate; throttle = done.throttle;
      const cells = [name, done.kind === "precopy" ? done.index : `${done.index}, stunned`, scaled(done.sent_bytes, "B"),
        seconds(done.duration_s), scaled(done.bandwidth, "B/s"), scaled(done.dirtied_bytes, "B"),
        event.decision ? event.decision.reason : "the guest stood still: the last round"];
      cells.forEach((text, i) => {
        const cell = document.createElement("td");
        cell.textContent = text;
        if (i > 0 && i < 6) cell.className = "n";
        row.append(cell);
      });
      $("rows").append(row);
      const at = done.started_s + done.duration_s;
      point("live-rounds", at, done.bandwidth / 1e6, "sent");
      if (done.kind === "precopy") point("live-rounds", at, done.dirty_rate / 1e6, "dirtied");
    },
    Controlled(event) {
      line(`by hand: ${event.what}${event.value === null ? "" : ` ${event.value}`}${event.fault ? `: ${event.fault}` : ""}`);
    },
    MigrationFinished(event) {
      badge(`${event.name}: ${event.outcome}`, event.valid ? "held" : "failed");
      $("answer").textContent = `${event.name}: ${event.outcome}, ${event.reason}${event.valid ? "" : " (not valid)"}`;
      $("now").textContent = "";
    },
    Ended(event) {
      source.close();
      for (const button of document.querySelectorAll("[data-order]")) button.disabled = true;
      badge(event.valid ? "the run has ended and is valid" : "the run has ended and is not valid", event.valid ? "held" : "failed");
      $("answer").textContent = "";
      const link = document.createElement("a");
      link.href = "/report"; link.textContent = "the report"; link.id = "report";
      $("answer").append(`The run has ended; its files are in ${event.folder}. `, link);
      document.body.dataset.over = "yes";
    },
  };

  const source = new EventSource("/events");
  let count = 0;
  source.onmessage = (message) => {
    const event = JSON.parse(message.data);
    document.body.dataset.events = ++count;
    if (heard[event.event]) heard[event.event](event);
  };
  source.onerror = () => { if (source.readyState !== EventSource.CLOSED) $("now").textContent = "connection lost; trying again"; };

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
  setInterval(show, 500);
})();
