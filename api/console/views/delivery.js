// One delivery, attempt by attempt.

import { get } from "../api.js";
import { badge, button, facts, h, section, swap, table } from "../dom.js";
import { count, duration, moment } from "../format.js";
import { poll } from "../poll.js";
import { redeliver } from "./webhooks.js";

export function show({ place, id, leave }) {
  const watched = poll(async (signal) => {
    const found = await get(`/v1/webhooks/deliveries/${encodeURIComponent(id)}`, {}, { signal });
    swap(place, page(found, () => watched.now()));
    return found;
  }, 2000);
  leave(watched.stop);
}

function page(found, again) {
  const columns = [
    { head: "At", cell: (attempt) => moment(attempt.started_at) },
    { head: "Answer", cell: (attempt) => (attempt.status_code ? `HTTP ${attempt.status_code}` : "none") },
    { head: "Took", number: true, cell: (attempt) => duration(attempt.duration_ms) },
    { head: "Error", cell: (attempt) => attempt.error ?? "" },
  ];
  return [
    h("p", { class: "back" }, h("a", { href: "#/webhooks" }, "All deliveries")),
    h("div", { class: "headline" }, h("h1", {}, "Delivery ", h("code", {}, found.id)), badge(found.status)),
    facts({ Event: found.event, Of: found.subject, To: found.url, Made: moment(found.created_at), Attempts: count(found.attempts_made),
      Next: found.next_attempt_at ? moment(found.next_attempt_at) : null, Error: found.error }),
    found.status === "pending" ? null : h("p", { class: "actions" }, button("Redeliver", async () => { await redeliver(found); await again(); },
      { disabled: !found.subject_available, "data-key": "again" })),
    section("Attempts", table("Attempts", columns, found.attempts, "It was not tried yet.")),
  ];
}
