// The tenant's jobs, newest first, with filters that stand in the address.

import { get } from "../api.js";
import { button, choice, field, h, swap, table } from "../dom.js";
import { poll } from "../poll.js";
import { JOB_COLUMNS } from "./job_table.js";

const STATUSES = ["queued", "in_progress", "completed", "failed", "cancelled", "expired"];
const SINCE = [["", "any time"], ["900", "15 minutes"], ["3600", "an hour"], ["86400", "a day"]];

export function show({ place, query, leave }) {
  const list = h("div"), foot = h("div", { class: "foot" });
  place.append(h("h1", {}, "Jobs"), filters(query), list, foot);
  let older = [], more = null;

  const wanted = (after) => ({
    status: query.get("status"), model: query.get("model"), provider: query.get("provider"), limit: 50, after,
    created_after: query.get("since") ? Math.floor(Date.now() / 1000 - Number(query.get("since"))) : null,
  });
  const draw = (jobs) => {
    swap(list, table("Jobs", JOB_COLUMNS, jobs, "No job is like this. The playground makes some."));
    swap(foot, more ? button("Older jobs", load, { class: "quiet", "data-key": "more" }) : null);
  };
  const load = async () => {
    const page = await get("/v1/jobs", wanted(more));
    older = [...older, ...page.data];
    more = page.has_more ? page.last_id : null;
    draw(merged());
  };
  let newest = [];
  // What was loaded further down stays, whatever comes on top.
  const merged = () => [...newest, ...older.filter((job) => !newest.some((each) => each.id === job.id))];
  const watched = poll(async (signal) => {
    const page = await get("/v1/jobs", wanted(null), { signal });
    newest = page.data;
    if (!older.length) more = page.has_more ? page.last_id : null;
    draw(merged());
    return page.data;
  });
  leave(watched.stop);
}

function filters(query) {
  const status = choice("status", [["", "any"], ...STATUSES.map((each) => [each, each.replaceAll("_", " ")])], query.get("status") ?? "");
  const model = h("input", { name: "model", value: query.get("model") ?? "", placeholder: "any", autocomplete: "off" });
  const provider = h("input", { name: "provider", value: query.get("provider") ?? "", placeholder: "any", autocomplete: "off" });
  const since = choice("since", SINCE, query.get("since") ?? "");
  const id = h("input", { name: "id", placeholder: "job_…", autocomplete: "off" });
  const form = h("form", { class: "filters", role: "search", "aria-label": "Which jobs", onsubmit: (event) => {
    event.preventDefault();
    if (id.value.trim()) { location.hash = `#/jobs/${encodeURIComponent(id.value.trim())}`; return; }
    const given = [...new FormData(form)].filter(([, value]) => value);
    location.hash = `#/jobs?${new URLSearchParams(given)}`;
  } }, field("Status", status), field("Model", model), field("Provider", provider), field("Accepted within", since), field("Or one job", id),
  h("button", { type: "submit" }, "Show"));
  for (const each of [status, since]) each.addEventListener("change", () => form.requestSubmit());
  return form;
}
