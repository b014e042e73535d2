// Ask a model: the plan before, the answer as it comes in, the route and the cost after.

import { ask, events, get, post } from "../api.js";
import { badge, button, choice, facts, field, h, section, swap, table, toast } from "../dom.js";
import { count, dollars, duration, percent } from "../format.js";
import { cost, route } from "./job_table.js";

const POLICIES = [["", "the tenant's"], ["balanced", "balanced"], ["cost-optimized", "cost-optimized"], ["performance-first", "performance-first"]];

export async function show({ place, leave }) {
  const model = choice("model", [["fast", "fast"]], "fast");
  const policy = choice("routing_policy", POLICIES, "");
  const system = h("textarea", { name: "system", rows: "2", placeholder: "How it is to answer, if you like" });
  const text = h("textarea", { name: "text", rows: "5", required: true, placeholder: "Ask something" });
  const most = h("input", { name: "max_tokens", type: "number", min: "1", placeholder: "no bound" });
  const words = h("div", { class: "words", "aria-live": "polite", "aria-label": "Answer", tabindex: "0" });
  const state = h("p", { class: "hint", role: "status" }, "The answer comes here."), told = h("div"), planned = h("div");
  const submit = h("button", { type: "submit" }, "Send");
  let running = null;
  const stop = h("button", { type: "button", class: "danger", disabled: true, onclick: () => running?.abort() }, "Stop");

  const request = () => ({
    model: model.value,
    messages: [...(system.value.trim() ? [{ role: "system", content: system.value }] : []), { role: "user", content: text.value }],
    ...(policy.value ? { routing_policy: policy.value } : {}),
    ...(most.value ? { max_tokens: Number(most.value) } : {}),
  });
  const form = h("form", { class: "ask", onsubmit: (event) => { event.preventDefault(); send(); } },
    h("div", { class: "filters" }, field("Model", model), field("Policy", policy), field("Most tokens", most)),
    field("System", system), field("Question", text),
    h("p", { class: "actions" }, submit, stop, button("Show the plan", plan, { class: "quiet" }), h("span", { class: "hint" }, "Ctrl+Enter sends")));
  form.addEventListener("keydown", (event) => { if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit(); });
  place.append(h("h1", {}, "Playground"), h("div", { class: "two" }, form, h("div", {}, h("h2", {}, "Answer"), state, words, told)), planned);
  leave(() => running?.abort());
  models();

  async function models() {
    try {
      const { data } = await get("/v1/models");
      const chats = data.filter((each) => each.capabilities.includes("chat"));
      const group = (label, rows) => h("optgroup", { label }, rows.map((each) => h("option", { value: each.id, selected: each.id === "fast" }, each.id)));
      swap(model, group("Aliases", chats.filter((each) => each.deployments)), group("Deployments", chats.filter((each) => !each.deployments)));
    } catch (error) {
      toast(error.message, "bad");
    }
  }

  async function plan() {
    const found = await post("/v1/routing/plan", request());
    swap(planned, section(`Plan (${found.policy})`, candidates(found)));
  }

  async function send() {
    running = new AbortController();
    submit.disabled = true;
    stop.disabled = false;
    swap(words);
    swap(told);
    state.textContent = "Waiting for the first word …";
    const begun = performance.now();
    let first = null, job = null, usage = null, metadata = null;
    try {
      const response = await ask("POST", "/v1/chat/completions",
        { body: { ...request(), stream: true, stream_options: { include_usage: true } }, signal: running.signal });
      job = response.headers.get("X-Job-Id");
      for await (const data of events(response)) {
        if (data === "[DONE]") break;
        const chunk = JSON.parse(data);
        if (chunk.error) throw new Error(chunk.error.message);
        usage = chunk.usage ?? usage;
        metadata = chunk.routing_metadata ?? metadata;
        const piece = chunk.choices?.[0]?.delta?.content;
        if (!piece) continue;
        first ??= performance.now() - begun;
        state.textContent = `First word after ${duration(first)}`;
        words.append(piece);
      }
      const took = performance.now() - begun;
      state.textContent = `Answered in ${duration(took)}`;
      swap(told, summary({ job, first, took, usage, metadata }));
    } catch (error) {
      state.textContent = running.signal.aborted ? "Stopped." : error.message;
      if (job) swap(told, h("p", {}, h("a", { href: `#/jobs/${job}` }, "Its job")));
    } finally {
      submit.disabled = false;
      stop.disabled = true;
    }
  }
}

function summary({ job, first, took, usage, metadata }) {
  const speed = usage?.completion_tokens && took - first > 50 ? usage.completion_tokens / ((took - first) / 1000) : null;
  return facts({
    Route: metadata ? route({ attempts: metadata.attempts }) : null,
    Cost: metadata ? cost({ attempts: metadata.attempts }) : null,
    Tokens: usage ? `${count(usage.prompt_tokens)} in, ${count(usage.completion_tokens)} out` : null,
    "First word": duration(first),
    Speed: speed ? `${count(Math.round(speed))} tokens/s` : null,
    "In the queue": metadata ? duration(metadata.queue_time) : null,
    Policy: metadata?.policy_used,
    Job: job ? h("a", { href: `#/jobs/${job}` }, h("code", {}, job)) : null,
  });
}

function candidates({ candidates: rows, exclusions }) {
  return [
    table("Candidates, in the order in which they would be tried", [
      { head: "Candidate", cell: (row) => `${row.provider}/${row.model}` },
      { head: "Score", number: true, cell: (row) => row.score.toFixed(3) },
      { head: "Cost", number: true, cell: (row) => (row.estimates.cost_microusd === null ? "–" : dollars(row.estimates.cost_microusd / 1e6)) },
      { head: "Latency", number: true, cell: (row) => duration(row.estimates.latency_ms) },
      { head: "First word", number: true, cell: (row) => duration(row.estimates.ttft_ms) },
      { head: "Uptime", number: true, cell: (row) => percent(row.estimates.uptime) },
      { head: "Wait", number: true, cell: (row) => duration(row.estimates.queue_wait_ms) },
    ], rows, "There is no candidate."),
    exclusions.length ? table("Left out", [
      { head: "Left out", cell: (row) => `${row.provider}/${row.model}` }, { head: "Reason", cell: (row) => row.reason }], exclusions) : null,
    h("p", { class: "hint" }, badge("dry run"), " Nothing was called, and nothing is paid."),
  ];
}
