// The frame: signing in, which view stands where, the theme.

import { overview, session, signIn } from "./api.js";
import { sweep } from "./chart.js";
import { field, h, swap } from "./dom.js";

// By the names that the overview's answer has for them.
const VIEWS = {
  overview: { name: "Overview" },
  jobs: { name: "Jobs", one: "job" },
  failed: { name: "Failed" },
  batches: { name: "Batches" },
  webhooks: { name: "Webhooks", one: "delivery" },
  usage: { name: "Usage" },
  keys: { name: "Keys" },
  playground: { name: "Playground" },
};
const main = document.getElementById("main");
const leaver = document.getElementById("leave");
const nav = document.getElementById("nav");
let caller = null;
let leaving = [];
let turn = 0;

/** Show what the address names; `first` is the overview, where it was just asked for. */
async function show(first = null) {
  const mine = ++turn;
  leaving.splice(0).forEach((leave) => leave());
  document.getElementById("live").textContent = "";
  if (!session.key || !caller) return begin();
  const [path, search = ""] = location.hash.replace(/^#\/?/, "").split("?");
  const [name, id] = path.split("/").map(decodeURIComponent);
  const chosen = name in VIEWS && caller.views.includes(name) ? name : "overview";
  const view = VIEWS[chosen];
  mark(chosen);
  const file = id && view.one ? view.one : chosen;
  const module = await import(`./views/${file}.js`).catch(() => null);
  if (mine !== turn) return;
  if (!module) return swap(main, h("p", { class: "problem", role: "alert" }, "This view cannot be loaded. Reload the page."));
  const place = h("div", { class: `view ${file}` });
  swap(main, place);
  document.title = `${view.name} · Model Router`;
  module.show({ place, id, query: new URLSearchParams(search), caller, first, leave: (act) => leaving.push(act) });
  sweep();
}

function mark(chosen) {
  for (const link of nav.querySelectorAll("a")) {
    if (link.dataset.view === chosen) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}

/** Whose key it is decides what there is to see. */
async function enter(first) {
  caller = first.caller;
  const link = (name) => h("a", { href: name === "overview" ? "#/" : `#/${name}`, "data-view": name }, VIEWS[name].name);
  swap(nav, caller.views.filter((name) => name in VIEWS).map(link));
  nav.hidden = leaver.hidden = false;
  leaver.title = caller.tenant_id ? `Signed in as ${caller.tenant_id}` : "Signed in as admin";
  await show(first);
}

async function begin() {
  nav.hidden = leaver.hidden = true;
  if (session.key) {
    try {
      return await enter(await overview());
    } catch (error) {
      return login(error.message);
    }
  }
  return login("");
}

function login(problem) {
  turn += 1;
  const key = h("input", { type: "password", name: "key", required: true, autocomplete: "off", spellcheck: "false" });
  const told = h("p", { class: "problem", role: "alert" }, problem);
  const submit = h("button", { type: "submit" }, "Sign in");
  const form = h("form", { class: "login", onsubmit: async (event) => {
    event.preventDefault();
    submit.disabled = true;
    try {
      await enter(await signIn(key.value.trim()));
      main.focus({ preventScroll: true });
    } catch (error) {
      told.textContent = error.message;
      key.select();
    } finally {
      submit.disabled = false;
    }
  } },
    h("h1", {}, "Sign in"),
    h("p", {}, "With a tenant's key you see what is its own; with the admin key, the whole."),
    field("Key", key), told, submit,
    h("p", { class: "hint" }, "The key stays in this tab, and is forgotten when it is closed."));
  swap(main, form);
  document.title = "Sign in · Model Router";
  key.focus();
}

function signOut(told = "") {
  session.end();
  caller = null;
  leaving.splice(0).forEach((leave) => leave());
  nav.hidden = leaver.hidden = true;
  login(told);
}

function theme() {
  const root = document.documentElement;
  const button = document.getElementById("theme");
  const dark = () => (root.dataset.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
  const name = () => { button.textContent = dark() ? "Light" : "Dark"; button.setAttribute("aria-label", `Switch to ${dark() ? "light" : "dark"} colours`); };
  button.addEventListener("click", () => {
    root.dataset.theme = dark() ? "light" : "dark";
    localStorage.setItem("theme", root.dataset.theme);
    changed();
  });
  const changed = () => { name(); sweep(true); document.dispatchEvent(new CustomEvent("theme-changed")); };
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", changed);
  name();
}

leaver.addEventListener("click", () => signOut());
document.getElementById("skip").addEventListener("click", (event) => { event.preventDefault(); main.focus(); });
document.addEventListener("signed-out", (event) => { if (caller) signOut(event.detail ?? "The key is not known any more."); });
addEventListener("hashchange", async () => { await show(); if (caller) main.focus({ preventScroll: true }); });
theme();
show();
