// Dead letters: jobs that ended without an answer, to be looked at and run again.

import { get, post } from "../api.js";
import { button, h, swap, table, toast } from "../dom.js";
import { poll } from "../poll.js";
import { JOB_COLUMNS } from "./job_table.js";

export function show({ place, leave }) {
  const list = h("div"), bar = h("p", { class: "actions" });
  const chosen = new Set();
  let jobs = [], more = null, loaded = [];
  place.append(h("h1", {}, "Failed jobs"),
    h("p", { class: "hint" }, "Jobs that failed or expired keep what was asked, for as long as they are kept. A replay is a new job of the same request."), bar, list);

  const replay = async (ids) => {
    let done = 0;
    try {
      for (const id of ids) {
        await post(`/v1/jobs/${id}/replay`, {}, { headers: { "Idempotency-Key": `console-${id}` } });
        chosen.delete(id);
        done += 1;
      }
    } finally {
      if (done) toast(done === 1 ? "One job runs again." : `${done} jobs run again.`);
      await watched.now();
    }
  };
  const tick = (job) => h("input", { type: "checkbox", checked: chosen.has(job.id), "aria-label": `Choose ${job.id}`, "data-key": `tick-${job.id}`,
    onchange: (event) => { chosen[event.target.checked ? "add" : "delete"](job.id); drawBar(); } });
  const columns = [
    ...JOB_COLUMNS.slice(0, 4),
    { head: "Error", cell: (job) => h("span", { class: "short", title: job.error?.message ?? "" }, job.error?.code ?? job.status) },
    JOB_COLUMNS.at(-1),
    { head: "Replay", cell: (job) => (job.replayed_as
      ? h("a", { href: `#/jobs/${job.replayed_as}`, "data-key": `again-${job.id}` }, "replayed")
      : h("span", { class: "pair" }, tick(job), button("Replay", () => replay([job.id]), { class: "small", "data-key": `replay-${job.id}` }))) },
  ];
  const drawBar = () => {
    const open = jobs.filter((job) => !job.replayed_as);
    swap(bar,
      button(chosen.size ? `Replay ${chosen.size} chosen` : "Replay the chosen ones", () => replay([...chosen]), { disabled: !chosen.size, "data-key": "replay-chosen" }),
      button("Choose all shown", () => { open.forEach((job) => chosen.add(job.id)); draw(); }, { class: "quiet", "data-key": "all", disabled: !open.length }),
      more ? button("Load older ones", async () => {
        const page = await get("/v1/jobs", { status: "failed,expired", limit: 50, after: more });
        loaded = [...loaded, ...page.data];
        more = page.has_more ? page.last_id : null;
        await watched.now();
      }, { class: "quiet", "data-key": "older" }) : null);
  };
  const draw = () => { swap(list, table("Jobs without an answer", columns, jobs, "No job has failed.")); drawBar(); };
  const watched = poll(async (signal) => {
    const page = await get("/v1/jobs", { status: "failed,expired", limit: 50 }, { signal });
    if (!loaded.length) more = page.has_more ? page.last_id : null;
    jobs = [...page.data, ...loaded.filter((job) => !page.data.some((each) => each.id === job.id))];
    draw();
    return page.data;
  });
  leave(watched.stop);
}
