// How everything stands: providers, queues, the last hour.

import { overview } from "../api.js";
import { chart } from "../chart.js";
import { badge, h, section, swap, table } from "../dom.js";
import { bytes, count, dollars, duration, moment, percent, rounded, short, sum } from "../format.js";
import { poll } from "../poll.js";

const STATES = [["completed", "good"], ["failed", "bad"], ["expired", "warn"], ["cancelled", "off"]];
const COLOURS = ["one", "two", "three", "four", "five", "six"];

export function show({ place, first, leave }) {
  const parts = Object.fromEntries(["tiles", "providers", "queues"].map((name) => [name, h("div", { class: name })]));
  const charts = Object.fromEntries(["jobs", "latency", "cost"].map((name) => [name, h("div", { class: "chart", role: "img" })]));
  const titled = (title, name) => h("figure", {}, h("figcaption", {}, title), charts[name]);
  place.append(h("h1", {}, "Overview"), parts.tiles,
    h("div", { class: "charts" }, titled("Jobs ended per minute", "jobs"), titled("From acceptance to the end", "latency"), titled("Cost per minute", "cost")),
    parts.providers, parts.queues);
  let latest = null, given = first;
  const draw = () => latest && fill(latest, parts, charts);
  const watched = poll(async (signal) => {
    latest = given ?? await overview({ signal });
    given = null;
    draw();
    return { ...latest, now: 0 };
  });
  document.addEventListener("theme-changed", draw);
  leave(() => { watched.stop(); document.removeEventListener("theme-changed", draw); });
}

function fill(found, parts, charts) {
  swap(parts.tiles, tiles(found));
  swap(parts.providers, section("Providers", providers(found)));
  if (found.queues) swap(parts.queues, section("Queues", queues(found.queues)));
  const { history } = found;
  const xs = history.map((minute) => minute.at);
  const byState = STATES.map(([state, colour]) => ({ label: state, colour, values: history.map((minute) => minute.jobs[state] ?? 0) }));
  chart(charts.jobs, { xs, lines: byState.filter((line, place) => place < 2 || line.values.some(Boolean)), told: count, stacked: true });
  const shares = [["p50", "one"], ["p95", "four"], ["p99", "bad"]];
  chart(charts.latency, { xs, lines: shares.map(([share, colour]) => ({ label: share, colour, values: history.map((minute) => minute.latency_s[share]) })),
    told: (value) => duration(value === null || value === undefined ? null : value * 1000) });
  const names = [...new Set(history.flatMap((minute) => Object.keys(minute.cost_usd)))].sort();
  chart(charts.cost, { xs, lines: (names.length ? names : ["no cost"]).map((name, place) => ({ label: name, colour: COLOURS[place % COLOURS.length],
    values: history.map((minute) => minute.cost_usd[name] ?? 0) })), told: dollars, axis: (value) => `$${rounded(value)}`, stacked: true });
  const ended = history.reduce((total, minute) => total + sum(minute.jobs), 0);
  charts.jobs.setAttribute("aria-label", `${count(ended)} jobs ended in the last hour`);
  charts.latency.setAttribute("aria-label", "Latency percentiles of the last hour by the minute");
  charts.cost.setAttribute("aria-label", `${dollars(spent(history))} in the last hour`);
}

const spent = (history) => history.reduce((total, minute) => total + sum(minute.cost_usd), 0);

function tiles({ history, queues: all, totals, caller, sandbox }) {
  const ended = history.reduce((total, minute) => total + sum(minute.jobs), 0);
  const good = history.reduce((total, minute) => total + (minute.jobs.completed ?? 0), 0);
  const busy = history.filter((minute) => minute.latency_s.p95 !== null);
  const worst = busy.length ? Math.max(...busy.slice(-5).map((minute) => minute.latency_s.p95)) * 1000 : null;
  const waiting = all?.reduce((total, queue) => total + sum(queue.depth), 0);
  const oldest = Math.max(0, ...(all ?? []).map((queue) => queue.oldest_age_s ?? 0));
  const tile = (name, value, more) => h("div", { class: "tile" }, h("span", {}, name), h("strong", {}, value), h("small", {}, more ?? ""));
  return [
    tile("Jobs, last hour", short(ended), caller.kind === "admin" ? "of all tenants" : `of ${caller.tenant_id}`),
    tile("Answered", ended ? percent(good / ended) : "–", ended ? `${count(ended - good)} not` : ""),
    tile("p95", duration(worst), "highest of 5 busy minutes"),
    tile("Cost, last hour", dollars(spent(history)), sandbox ? "sandbox: nothing is paid" : ""),
    all ? tile("In queues", short(waiting), waiting ? `the first waits ${duration(oldest * 1000)}` : "nobody waits") : null,
    totals ? tile("Redis", bytes(totals.redis_used_bytes), totals.redis_bound_bytes ? `of ${bytes(totals.redis_bound_bytes)}` : "no bound") : null,
    totals ? tile("Unfinished", short(totals.jobs_unfinished), `${count(totals.jobs_parked)} parked, ${count(totals.webhooks_pending)} webhooks`) : null,
  ];
}

function providers({ providers: rows, circuit_breakers: breakers, limits, queues: all }) {
  const inUse = Object.entries(rows).filter(([, row]) => row.status !== "disabled").map(([name, row]) => ({ name, ...row }));
  const off = Object.entries(rows).filter(([, row]) => row.status === "disabled").map(([name]) => name);
  const queue = (name) => all?.find((each) => each.name === `provider.${name}`);
  const columns = [
    { head: "Provider", cell: (row) => row.name },
    { head: "Health", cell: (row) => [badge(row.status), row.error ? h("small", { class: "why" }, row.error) : null] },
    { head: "Breaker", cell: (row) => breaker(row.name, breakers) },
    { head: "Uptime", number: true, cell: (row) => percent(row.uptime) },
    { head: "Latency", number: true, cell: (row) => duration(row.avg_latency) },
    ...(limits ? [{ head: "Limits left", cell: (row) => meters(limits.filter((limit) => limit.provider === row.name)) }] : []),
    ...(all ? [{ head: "Workers", number: true, cell: (row) => workers(queue(row.name)) }] : []),
    { head: "Checked", number: true, cell: (row) => moment(row.last_check) },
  ];
  return [table("Providers in use", columns, inUse, "No provider is in use."),
    off.length ? h("p", { class: "hint" }, `Switched off or without a key: ${off.join(", ")}.`) : null];
}

/** The account's breaker, and those of its deployments that are not closed. */
function breaker(name, breakers) {
  const own = breakers[name]?.state ?? "closed";
  const others = Object.entries(breakers).filter(([key, each]) => key.startsWith(`${name}/`) && each.state !== "closed");
  const until = breakers[name]?.next_attempt_time;
  return [badge(own), own === "open" && until ? h("small", { class: "why" }, `probes from ${moment(until)}`) : null,
    others.map(([key, each]) => h("small", { class: "why" }, `${key.slice(name.length + 1)}: ${each.state.replaceAll("_", " ")}`))];
}

const LIMITS = { rpm: "requests/min", rpd: "requests/day", tpm: "tokens/min", tpd: "tokens/day", concurrency: "at once" };

function meters(limits) {
  if (!limits.length) return "none known";
  return limits.map(({ model, limit, size, left }) => {
    const name = LIMITS[limit] ?? limit.replaceAll("_", " ");
    const told = `${short(left)} of ${short(size)} ${name}`;
    return h("span", { class: "limit", title: model ?? "the whole account" },
      h("meter", { min: "0", max: String(size || 1), low: String(size * 0.1), value: String(Math.max(left, 0)), "aria-label": told }), told, model ? h("small", {}, model.split("/").at(-1)) : null);
  });
}

function workers(queue) {
  if (!queue) return "–";
  return queue.workers ? `${queue.workers}, running ${queue.running}` : badge("none");
}

const TIERS = ["priority", "default", "flex", "batch"];

function queues(all) {
  const columns = [
    { head: "Queue", cell: (queue) => queue.name },
    ...TIERS.map((tier) => ({ head: tier, number: true, cell: (queue) => count(queue.depth[tier] ?? 0) })),
    { head: "The first waits", number: true, cell: (queue) => (queue.oldest_age_s === null ? "–" : duration(queue.oldest_age_s * 1000)) },
    { head: "Running", number: true, cell: (queue) => count(queue.running) },
    { head: "Workers", number: true, cell: (queue) => (queue.workers ? count(queue.workers) : badge("none")) },
  ];
  return table("Queues by tier", columns, all);
}
