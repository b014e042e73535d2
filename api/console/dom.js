// Makes elements. Whatever is given as a child becomes text: nothing of the API's is ever read as HTML.

/** An element with properties and children; children that are null or false are left out. */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "style") Object.assign(element.style, value);
    else if (name in element && typeof value !== "string") element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Put new content into a place; focus stays on what has the same `data-key`. */
export function swap(place, ...content) {
  const focused = place.contains(document.activeElement) ? document.activeElement.dataset.key : null;
  const opened = new Set([...place.querySelectorAll("details[open][data-key]")].map((each) => each.dataset.key));
  place.replaceChildren(...content.flat(Infinity).filter(Boolean));
  for (const each of place.querySelectorAll("details[data-key]")) if (opened.has(each.dataset.key)) each.open = true;
  if (focused) {
    const again = [...place.querySelectorAll("[data-key]")].find((each) => each.dataset.key === focused);
    again?.focus({ preventScroll: true });
  }
}

/** A table. Each column: `head`, `cell(row)`, and `number` for figures. */
export function table(caption, columns, rows, empty = "Nothing here.") {
  if (!rows.length) return h("p", { class: "empty" }, empty);
  const head = columns.map((column) => h("th", { scope: "col", class: column.number && "number" }, column.head));
  const body = rows.map((row) =>
    h("tr", {}, columns.map((column, place) => {
      const kind = place === 0 ? "th" : "td";
      const scope = place === 0 ? { scope: "row" } : {};
      return h(kind, { ...scope, class: column.number && "number", "data-label": column.head }, column.cell(row));
    })),
  );
  return h("div", { class: "scroll" },
    h("table", {}, h("caption", {}, caption), h("thead", {}, h("tr", {}, head)), h("tbody", {}, body)));
}

/** A state as a coloured word with a mark: the colour alone says nothing. */
export function badge(state) {
  return h("span", { class: "badge", "data-state": state }, state.replaceAll("_", " "));
}

/** A button that is off while what it does goes on. */
export function button(label, act, properties = {}) {
  const made = h("button", { type: "button", ...properties, onclick: async () => {
    made.disabled = true;
    try { await act(); } catch (error) { toast(error.message, "bad"); } finally { made.disabled = false; }
  } }, label);
  return made;
}

/** Say something for a few seconds; readers of screens are told, too. */
export function toast(text, kind = "good") {
  const made = h("p", { class: "toast", "data-kind": kind }, text);
  document.getElementById("toasts").append(made);
  setTimeout(() => made.remove(), 8000);
}

/** A section with a heading. */
export function section(title, ...children) {
  return h("section", {}, h("h2", {}, title), ...children);
}

/** Terms and what they are; those that are null are left out. */
export function facts(pairs) {
  return h("dl", { class: "facts" }, Object.entries(pairs).filter(([, value]) => value !== null && value !== undefined)
    .map(([term, value]) => h("div", {}, h("dt", {}, term), h("dd", {}, value))));
}

let fields = 0;

/** A labelled field. */
export function field(label, control) {
  control.id ||= `field-${(fields += 1)}`;
  return h("div", { class: "field" }, h("label", { for: control.id }, label), control);
}

/** A choice among [value, label] pairs. */
export function choice(name, options, chosen, properties = {}) {
  return h("select", { name, ...properties },
    options.map(([value, label]) => h("option", { value, selected: value === chosen }, label)));
}
