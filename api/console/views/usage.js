// What was used, by the day and by whatever it is summed up by.

import { get } from "../api.js";
import { chart } from "../chart.js";
import { choice, facts, field, h, section, swap, table } from "../dom.js";
import { count, dollars, rounded, short } from "../format.js";

const DAYS = [["7", "7 days"], ["30", "30 days"], ["90", "90 days"]];

export function show({ place, query, caller, leave }) {
  const admin = caller.kind === "admin";
  const path = admin ? "/admin/v1/usage" : "/v1/usage";
  const ways = ["model", "provider", "key", ...(admin ? ["tenant"] : [])];
  const days = query.get("days") ?? "30", by = ways.includes(query.get("by")) ? query.get("by") : admin ? "tenant" : "model";
  const go = () => { location.hash = `#/usage?${new URLSearchParams({ days: span.value, by: sums.value })}`; };
  const span = choice("days", DAYS, days, { onchange: go });
  const sums = choice("by", ways.map((way) => [way, way]), by, { onchange: go });
  const drawn = h("div", { class: "chart", role: "img", "aria-label": "Cost by day" }), totals = h("div"), rows = h("div");
  place.append(h("h1", {}, "Usage"), h("div", { class: "filters" }, field("Of the last", span), field("Summed up by", sums)), totals,
    h("figure", {}, h("figcaption", {}, "Cost by day"), drawn), rows);
  load();
  const stopped = new AbortController();
  leave(() => stopped.abort());

  async function load() {
    const start = new Date(Date.now() - (Number(days) - 1) * 86_400_000).toISOString().slice(0, 10);
    try {
      const [daily, summed] = await Promise.all([get(path, { start, group_by: "day" }), get(path, { start, group_by: by })]);
      if (stopped.signal.aborted) return;
      fill(daily, summed);
      document.addEventListener("theme-changed", () => draw(daily), { signal: stopped.signal });
    } catch (error) {
      swap(rows, h("p", { class: "problem" }, error.message));
    }
  }

  function draw(daily) {
    const known = new Map(daily.data.map((row) => [row.day, row.cost_usd]));
    const xs = Array.from({ length: Number(days) }, (_, place) => Date.parse(daily.end) / 1000 - (Number(days) - 1 - place) * 86_400);
    const values = xs.map((at) => known.get(new Date(at * 1000).toISOString().slice(0, 10)) ?? 0);
    chart(drawn, { xs, lines: [{ label: "cost", colour: "one", values }], told: dollars, axis: (value) => `$${rounded(value)}`, stacked: true, daily: true });
  }

  function fill(daily, summed) {
    const total = summed.totals;
    swap(totals, facts({ Cost: dollars(total.cost_usd), Answered: count(total.requests), Failed: count(total.failed_requests),
      "Tokens in": short(total.prompt_tokens), "Tokens out": short(total.completion_tokens), "From caches": short(total.cached_tokens) }));
    draw(daily);
    const sorted = [...summed.data].sort((one, other) => other.cost_microusd - one.cost_microusd);
    swap(rows, section(`By ${by}`, table(`Usage by ${by}`, [
      { head: by[0].toUpperCase() + by.slice(1), cell: (row) => row[by] ?? "not known" },
      { head: "Answered", number: true, cell: (row) => count(row.requests) },
      { head: "Failed", number: true, cell: (row) => count(row.failed_requests) },
      { head: "Tokens in", number: true, cell: (row) => count(row.prompt_tokens) },
      { head: "Tokens out", number: true, cell: (row) => count(row.completion_tokens) },
      { head: "Cost", number: true, cell: (row) => dollars(row.cost_usd) },
    ], sorted, "Nothing was used.")));
  }
}
