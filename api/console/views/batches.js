// Batches, how far each is, and the answers to take away.

import { ask, get, post } from "../api.js";
import { badge, button, h, swap, table, toast } from "../dom.js";
import { brief, count, duration, moment } from "../format.js";
import { poll } from "../poll.js";

const OPEN = ["validating", "in_progress", "finalizing", "cancelling"];

export function show({ place, leave }) {
  const list = h("div");
  place.append(h("h1", {}, "Batches"), list);
  const columns = [
    { head: "Batch", cell: (batch) => h("code", { title: batch.id }, brief(batch.id)) },
    { head: "Status", cell: (batch) => [badge(batch.status), batch.errors?.data?.[0] ? h("small", { class: "why" }, batch.errors.data[0].message) : null] },
    { head: "Progress", cell: progress },
    { head: "Endpoint", cell: (batch) => batch.endpoint },
    { head: "Tokens", number: true, cell: (batch) => count(batch.usage?.total_tokens ?? 0) },
    { head: "Created", number: true, cell: (batch) => moment(batch.created_at) },
    { head: "Took", number: true, cell: (batch) => took(batch) },
    { head: "Files", cell: (batch) => h("span", { class: "pair" },
      batch.output_file_id ? button("Answers", () => save(batch.output_file_id, `${batch.id}-answers.jsonl`), { class: "small", "data-key": `out-${batch.id}` }) : null,
      batch.error_file_id ? button("Errors", () => save(batch.error_file_id, `${batch.id}-errors.jsonl`), { class: "small", "data-key": `err-${batch.id}` }) : null,
      ["validating", "in_progress"].includes(batch.status) ? button("Cancel", async () => {
        await post(`/v1/batches/${batch.id}/cancel`);
        toast("No more of its lines are begun.");
        await watched.now();
      }, { class: "small danger", "data-key": `cancel-${batch.id}` }) : null) },
  ];
  const watched = poll(async (signal) => {
    const page = await get("/v1/batches", { limit: 50 }, { signal });
    swap(list, table("Batches, the newest first", columns, page.data, "There is no batch. POST /v1/batches makes one, or the command model-router batch submit."));
    return page.data;
  }, 2500);
  leave(watched.stop);
}

function progress(batch) {
  const { total, completed, failed } = batch.request_counts;
  const told = `${count(completed)} of ${count(total)}${failed ? `, ${count(failed)} failed` : ""}`;
  return h("span", { class: "progress" }, h("progress", { max: String(total || 1), value: String(completed + failed), "aria-label": told }), told);
}

function took(batch) {
  const end = batch.completed_at ?? batch.failed_at ?? batch.expired_at ?? batch.cancelled_at;
  return end ? duration((end - batch.created_at) * 1000) : OPEN.includes(batch.status) ? `for ${duration(Date.now() - batch.created_at * 1000)}` : "–";
}

/** A file through the browser's own download; a link could not send the key. */
async function save(file, name) {
  const response = await ask("GET", `/v1/files/${file}/content`);
  const place = URL.createObjectURL(await response.blob());
  h("a", { href: place, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(place), 10_000);
}
