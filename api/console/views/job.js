// One job: its timeline from acceptance to answer, its plan, and what it was answered.

import { get, post } from "../api.js";
import { badge, button, facts, field, h, section, swap, table, toast } from "../dom.js";
import { count, dollars, duration, moment } from "../format.js";
import { poll } from "../poll.js";
import { cost } from "./job_table.js";

const ENDED = ["completed", "failed", "cancelled", "expired"];

export function show({ place, id, leave }) {
  let watched = null;
  const again = () => watched.now();
  watched = poll(async (signal) => {
    let job;
    try {
      job = await get(`/v1/jobs/${encodeURIComponent(id)}`, {}, { signal });
    } catch (error) {
      if (error.status === 404) swap(place, h("h1", {}, "No such job"), h("p", {}, error.message), back());
      throw error;
    }
    swap(place, page(job, again));
    if (ENDED.includes(job.status)) watched?.stop();
    return job;
  }, 1500);
  leave(() => watched.stop());
}

const back = () => h("p", { class: "back" }, h("a", { href: "#/jobs" }, "All jobs"));

function page(job, again) {
  return [
    back(),
    h("div", { class: "headline" }, h("h1", {}, "Job ", h("code", {}, job.id)), badge(job.status)),
    facts({
      Model: job.model,
      Provider: job.provider,
      Policy: job.plan?.policy,
      Took: job.ended_at ? duration((job.ended_at - job.created_at) * 1000) : null,
      Calls: count(job.attempts.length),
      Cost: cost(job),
      Tokens: tokens(job.response?.usage),
      Deadline: ENDED.includes(job.status) ? null : moment(job.deadline_at),
      "Replay of": job.replay_of ? link(job.replay_of) : null,
      "Replayed as": job.replayed_as ? link(job.replayed_as) : null,
    }),
    actions(job, again),
    section("Timeline", timeline(job)),
    job.error ? section("Error", h("p", { class: "problem" }, job.error.message), facts({ Type: job.error.type, Code: job.error.code, Field: job.error.param })) : null,
    job.plan ? section("Plan", plan(job)) : null,
    job.response ? section("Answer", answer(job.response)) : null,
  ];
}

const link = (id) => h("a", { href: `#/jobs/${id}`, "data-key": id }, h("code", {}, id));

function tokens(usage) {
  if (!usage) return null;
  const asked = usage.prompt_tokens ?? usage.input_tokens, told = usage.completion_tokens ?? usage.output_tokens;
  return `${count(asked)} in, ${count(told ?? 0)} out`;
}

function actions(job, again) {
  if (!ENDED.includes(job.status)) {
    return h("p", { class: "actions" }, button("Cancel", async () => { await post(`/v1/jobs/${job.id}/cancel`); await again(); }, { class: "danger", "data-key": "cancel" }));
  }
  if (job.status === "completed") return null;
  const model = h("input", { name: "model", placeholder: job.model, autocomplete: "off", "data-key": "model" });
  return h("div", { class: "actions" }, field("Another model, if wished", model), button("Replay", async () => {
    const made = await post(`/v1/jobs/${job.id}/replay`, model.value.trim() ? { model: model.value.trim() } : {});
    toast("It runs again, as a new job.");
    location.hash = `#/jobs/${made.id}`;
  }, { "data-key": "replay" }));
}

/** Steps of the job in the order of their times, each with its share of the whole as a bar. */
function timeline(job) {
  const begun = job.created_at;
  const calls = job.attempts.map((attempt) => ({ ...attempt, until: attempt.started_at + attempt.duration / 1000 }));
  const end = Math.max(job.ended_at ?? Date.now() / 1000, begun + 0.001, ...calls.map((call) => call.until));
  const bar = (from, to, state) => h("span", { class: "track", "aria-hidden": "true" }, h("span", { class: "span", "data-state": state, style: {
    left: `${((from - begun) / (end - begun)) * 100}%`, width: `${Math.max(((to - from) / (end - begun)) * 100, 0.6)}%` } }));
  const step = (name, at, until, state, more) => h("li", { "data-state": state },
    h("span", { class: "when" }, `+${duration((at - begun) * 1000)}`), h("span", { class: "what" }, name),
    h("span", { class: "long" }, until > at ? duration((until - at) * 1000) : ""), bar(at, until, state), more ? h("p", { class: "why" }, more) : null);
  const first = job.started_at ?? calls[0]?.started_at ?? (ENDED.includes(job.status) ? job.ended_at : end);
  const shown = [
    step("Submitted", begun, begun, "mark", `Accepted and durable at ${moment(begun)}`),
    step("Queued", begun, first, "queued", calls.length || job.started_at ? null : `on the queue of ${job.provider ?? "no provider"}`),
  ];
  let last = first;
  calls.forEach((call, place) => {
    const gap = call.started_at - last;
    const moved = place > 0 && calls[place - 1].provider !== call.provider;
    if (gap > 0.05 && place > 0) shown.push(step(moved ? `Handed over to ${call.provider}` : "Waited to try again", last, call.started_at, "queued"));
    const cents = call.cost_microusd === undefined ? "" : ` ${dollars(call.cost_microusd / 1e6)}`;
    const how = [call.hedge ? "hedge" : "", call.continued ? `went on after ${call.continued} characters` : ""].filter(Boolean).join(", ");
    shown.push(step([h("strong", {}, `Attempt ${place + 1}: ${call.provider}`), ` ${call.model} `, badge(call.status), cents, how ? ` (${how})` : ""],
      call.started_at, call.until, call.status, call.error));
    last = call.until;
  });
  if (job.status === "in_progress" && !calls.some((call) => call.status === "in_progress")) shown.push(step(`Running at ${job.provider}`, Math.max(last, first), end, "in_progress"));
  if (job.ended_at) shown.push(step(["Ended ", badge(job.status)], job.ended_at, job.ended_at, "mark", null));
  return h("ol", { class: "timeline" }, shown);
}

function plan({ plan: { candidates, exclusions, hedge_after_ms: hedge }, attempts }) {
  const called = (row) => attempts.filter((attempt) => attempt.provider === row.provider && attempt.model === row.model);
  const part = (name) => ({ head: name, number: true, cell: (row) => row.parts[name.toLowerCase()].toFixed(2) });
  const columns = [
    { head: "Candidate", cell: (row) => `${row.provider}/${row.model}` },
    { head: "Score", number: true, cell: (row) => h("span", { class: "score" }, h("meter", { min: "0", max: "1", value: String(row.score), "aria-hidden": "true" }), row.score.toFixed(3)) },
    part("Cost"), part("Latency"), part("Uptime"),
    { head: "Became", cell: (row) => { const calls = called(row); return calls.length ? calls.map((call) => badge(call.status)) : "not needed"; } },
  ];
  return [
    table("Candidates, in the order in which they are tried", columns, candidates, "There was no candidate."),
    hedge ? h("p", { class: "hint" }, `A second call is made beside the first after ${duration(hedge)}.`) : null,
    exclusions.length ? table("Left out", [
      { head: "Left out", cell: (row) => `${row.provider}/${row.model}` },
      { head: "Reason", cell: (row) => row.reason },
    ], exclusions) : h("p", { class: "hint" }, "Nobody was left out."),
  ];
}

/** The words of an answer, of whatever surface; and all of it as JSON. */
function answer(response) {
  return [words(response) ? h("div", { class: "words" }, words(response)) : null,
    h("details", { "data-key": "json" }, h("summary", {}, "As JSON"), h("pre", { tabindex: "0" }, JSON.stringify(response, null, 2)))];
}

function words(response) {
  const choice = response.choices?.[0];
  if (choice) return choice.message?.content ?? choice.text ?? "";
  const blocks = response.content ?? response.output?.flatMap((item) => item.content ?? []) ?? [];
  return blocks.map((block) => block.text ?? "").join("");
}
