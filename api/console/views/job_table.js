// Jobs as rows of a table, for every list of them.

import { badge, h } from "../dom.js";
import { brief, dollars, duration, moment } from "../format.js";

export const JOB_COLUMNS = [
  { head: "Job", cell: (job) => h("a", { href: `#/jobs/${job.id}`, title: job.id, "data-key": job.id }, h("code", {}, brief(job.id))) },
  { head: "Status", cell: (job) => badge(job.status) },
  { head: "Model", cell: (job) => job.model },
  { head: "Route", cell: (job) => route(job) },
  { head: "Took", number: true, cell: (job) => (job.ended_at ? duration((job.ended_at - job.created_at) * 1000) : "–") },
  { head: "Cost", number: true, cell: (job) => cost(job) },
  { head: "Accepted", number: true, cell: (job) => moment(job.created_at) },
];

/** Who was called, in order, the same one after another once; a failed one struck through. */
export function route(job) {
  const calls = job.attempts.filter((attempt, place) => attempt.provider !== job.attempts[place + 1]?.provider);
  if (!calls.length) return job.provider ? `${job.status === "queued" ? "waits for" : "at"} ${job.provider}` : "–";
  return h("span", { class: "route" }, calls.map((attempt) =>
    h("span", { class: "hop", "data-state": attempt.status, title: attempt.error ?? attempt.status },
      attempt.status === "completed" ? attempt.provider : h("s", {}, attempt.provider))));
}

/** What all its calls cost. */
export function cost(job) {
  const known = job.attempts.filter((attempt) => attempt.cost_microusd !== undefined);
  return known.length ? dollars(known.reduce((total, attempt) => total + attempt.cost_microusd, 0) / 1e6) : "–";
}
