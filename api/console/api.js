// The API, with the key of this tab. The key is in sessionStorage alone: closing the tab forgets it.

const KEY = "model-router-key", KIND = "model-router-kind";
const OVERVIEWS = { tenant: "/v1/console/overview", admin: "/admin/v1/overview" };

export const session = {
  get key() { return sessionStorage.getItem(KEY); },
  get kind() { return sessionStorage.getItem(KIND) ?? "tenant"; },
  begin(key, kind = "tenant") { sessionStorage.setItem(KEY, key); sessionStorage.setItem(KIND, kind); },
  end() { sessionStorage.removeItem(KEY); sessionStorage.removeItem(KIND); },
};

/** What the API refused, in its own words. */
export class Refused extends Error {
  constructor(status, error) {
    super(error?.message ?? `the API answered ${status}`);
    this.status = status;
    this.code = error?.code ?? null;
  }
}

/** Ask the API; gives the response. Throws Refused, or TypeError where nobody answers. */
export async function ask(method, path, { body, signal, headers = {} } = {}) {
  const response = await fetch(path, {
    method,
    signal,
    credentials: "omit",
    cache: "no-store",
    headers: {
      Authorization: `Bearer ${session.key}`,
      ...(body === undefined ? {} : { "Content-Type": "application/json" }),
      ...headers,
    },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  if (response.ok) return response;
  const told = await response.json().catch(() => null);
  if (response.status === 401) document.dispatchEvent(new CustomEvent("signed-out", { detail: told?.error?.message }));
  throw new Refused(response.status, told?.error);
}

/** A path with those parameters that are there. */
export function address(path, parameters = {}) {
  const given = Object.entries(parameters).filter(([, value]) => value !== "" && value !== null && value !== undefined);
  const query = new URLSearchParams(given).toString();
  return query ? `${path}?${query}` : path;
}

/** GET, as JSON. */
export const get = async (path, parameters, options) => (await ask("GET", address(path, parameters), options)).json();

/** POST, as JSON. */
export const post = async (path, body, options) => (await ask("POST", path, { body, ...options })).json();

/** The `data` of server-sent events, one by one, as text. */
export async function* events(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const parts = (rest + value).split("\n\n");
    rest = parts.pop();
    for (const part of parts) {
      const lines = part.split("\n").filter((line) => line.startsWith("data:"));
      if (lines.length) yield lines.map((line) => line.slice(5).trimStart()).join("\n");
    }
  }
}

/** How everything stands, as whoever has this tab's key may see it. */
export const overview = (options) => get(OVERVIEWS[session.kind], {}, options);

/** Take a key, a tenant's or the admin's, and give the overview it opens; throws Refused where it is neither. */
export async function signIn(key) {
  session.begin(key);
  try {
    return await overview();
  } catch (error) {
    if (error.status !== 401) { session.end(); throw error; }
    session.begin(key, "admin");
    // What the tenants' route said is right for every other key.
    return overview().catch((other) => { session.end(); throw other.status < 500 ? error : other; });
  }
}
