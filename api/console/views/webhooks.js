// Deliveries of webhooks: how each went, and sending it again; the endpoints they go to.

import { get, post } from "../api.js";
import { badge, button, choice, field, h, section, swap, table, toast } from "../dom.js";
import { brief, count, moment } from "../format.js";
import { poll } from "../poll.js";

export const redeliver = async (delivery) => {
  await post(`/v1/webhooks/deliveries/${delivery.id}/redeliver`);
  toast("It is sent again.");
};

export function show({ place, query, leave }) {
  const list = h("div"), ends = h("div");
  const status = choice("status", [["", "any"], ["pending", "pending"], ["delivered", "delivered"], ["failed", "failed"]], query.get("status") ?? "",
    { onchange: (event) => { location.hash = event.target.value ? `#/webhooks?status=${event.target.value}` : "#/webhooks"; } });
  place.append(h("h1", {}, "Webhooks"), h("div", { class: "filters" }, field("Status", status)), list, ends);
  const columns = [
    { head: "Delivery", cell: (row) => h("a", { href: `#/webhooks/${row.id}`, title: row.id, "data-key": row.id }, h("code", {}, brief(row.id))) },
    { head: "Status", cell: (row) => [badge(row.status), row.error ? h("small", { class: "why" }, row.error) : null] },
    { head: "Event", cell: (row) => row.event },
    { head: "Of", cell: (row) => (row.subject.startsWith("job_") ? h("a", { href: `#/jobs/${row.subject}`, "data-key": `of-${row.id}` }, h("code", {}, brief(row.subject))) : h("code", {}, brief(row.subject))) },
    { head: "To", cell: (row) => h("span", { class: "short", title: row.url }, row.url) },
    { head: "Attempts", number: true, cell: (row) => count(row.attempts_made) },
    { head: "Made", number: true, cell: (row) => moment(row.created_at) },
    { head: "Again", cell: (row) => (row.status === "pending" ? `next ${moment(row.next_attempt_at)}`
      : button("Redeliver", async () => { await redeliver(row); await watched.now(); }, { class: "small", "data-key": `again-${row.id}` })) },
  ];
  const watched = poll(async (signal) => {
    const [page, endpoints] = await Promise.all([
      get("/v1/webhooks/deliveries", { status: query.get("status"), limit: 50 }, { signal }), get("/v1/webhooks/endpoints", {}, { signal })]);
    swap(list, table("Deliveries, the newest first", columns, page.data, "Nothing was to be delivered."));
    swap(ends, section("Endpoints", table("Endpoints", [
      { head: "Address", cell: (row) => row.url },
      { head: "State", cell: (row) => [badge(row.disabled ? "disabled" : "active"), row.disabled_reason ? h("small", { class: "why" }, row.disabled_reason) : null] },
      { head: "Events", cell: (row) => [row.events].flat().join(", ") },
      { head: "Description", cell: (row) => row.description ?? "" },
    ], endpoints.data, "No endpoint: webhooks go where requests name a webhook_url.")));
    return [page.data, endpoints.data];
  });
  leave(watched.stop);
}
