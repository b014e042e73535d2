// For the admin: tenants and keys; making a key, rotating and revoking one.

import { get, post } from "../api.js";
import { badge, button, choice, field, h, section, swap, table, toast } from "../dom.js";
import { moment } from "../format.js";

export async function show({ place }) {
  const tenants = h("div"), keys = h("div"), secret = h("div", { role: "alert" });
  place.append(h("h1", {}, "Tenants and keys"), secret, tenants, keys);
  const told = (made) => swap(secret, h("div", { class: "secret" }, h("p", {}, `The secret of ${made.name || made.id}, shown once:`),
    h("code", {}, made.secret), button("Copy", async () => { await navigator.clipboard.writeText(made.secret); toast("Copied."); }, { class: "small" })));
  await load();

  async function load() {
    try {
      const [people, known] = await Promise.all([all("/admin/v1/tenants"), all("/admin/v1/keys")]);
      swap(tenants, section("Tenants", table("Tenants", TENANTS, people)));
      swap(keys, section("Keys", maker(people), table("Keys", columns(), known)));
    } catch (error) {
      swap(keys, h("p", { class: "problem" }, error.message));
    }
  }

  function maker(people) {
    const form = h("form", { class: "filters", "aria-label": "Make a key", onsubmit: async (event) => {
      event.preventDefault();
      try {
        told(await post("/admin/v1/keys", Object.fromEntries(new FormData(form))));
        await load();
      } catch (error) {
        toast(error.message, "bad");
      }
    } }, field("Tenant", choice("tenant_id", people.map((tenant) => [tenant.id, tenant.id]))),
    field("Name", h("input", { name: "name", required: true, autocomplete: "off" })), h("button", { type: "submit" }, "Make a key"));
    return form;
  }

  function columns() {
    const fixed = (key) => key.source === "file" || key.status === "revoked";
    return [
      { head: "Key", cell: (key) => h("code", { title: key.id }, key.prefix ? `${key.prefix}…` : key.id) },
      { head: "Name", cell: (key) => key.name },
      { head: "Tenant", cell: (key) => key.tenant_id },
      { head: "Status", cell: (key) => badge(key.status) },
      { head: "May use", cell: (key) => [...(key.models ?? []), ...(key.providers ?? [])].join(", ") || "all" },
      { head: "Expires", number: true, cell: (key) => (key.expires_at ? moment(key.expires_at) : "never") },
      { head: "Change", cell: (key) => (fixed(key) ? (key.source === "file" ? "in its file" : "") : h("span", { class: "pair" },
        button("Rotate", async () => { told(await post(`/admin/v1/keys/${key.id}/rotate`, {})); await load(); }, { class: "small" }),
        button("Revoke", async () => {
          if (!confirm(`Revoke ${key.name || key.id}? Whoever uses it is let in no more.`)) return;
          await post(`/admin/v1/keys/${key.id}/revoke`);
          await load();
        }, { class: "small danger" }))) },
    ];
  }
}

const TENANTS = [
  { head: "Tenant", cell: (tenant) => tenant.id },
  { head: "Status", cell: (tenant) => badge(tenant.status) },
  { head: "Policy", cell: (tenant) => tenant.routing_policy },
  { head: "Providers", cell: (tenant) => tenant.providers.enabled.join(", ") },
  { head: "Limits", cell: (tenant) => Object.entries(tenant.quotas).map(([name, value]) => `${name.replaceAll("_", " ")} ${value}`).join(", ") || "none" },
  { head: "Kept in", cell: (tenant) => (tenant.source === "file" ? "a file" : "Redis") },
];

/** All pages of a list, up to a thousand entries. */
async function all(path) {
  const found = [];
  let after = null;
  do {
    const page = await get(path, { limit: 100, after });
    found.push(...page.data);
    after = page.has_more ? page.last_id : null;
  } while (after && found.length < 1000);
  return found;
}
