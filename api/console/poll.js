// Asks again and again, only while somebody can see it; less often where nothing changes, and where nobody answers.

const LONGEST_MS = 60_000;

/**
 * Run `task` now and then every `every` ms. It gives what it found: the same again stretches the pause up to fourfold,
 * a failure doubles it up to a minute. Returns a function that stops it, with `now()` to run at once.
 */
export function poll(task, every = 4000) {
  const stopped = new AbortController();
  let timer = null, pause = every, last = null, running = false;

  async function run() {
    clearTimeout(timer);
    if (stopped.signal.aborted || running || document.hidden) return;
    running = true;
    try {
      const found = JSON.stringify(await task(stopped.signal) ?? null);
      pause = found === last ? Math.min(pause * 1.5, every * 4) : every;
      last = found;
      tell("");
    } catch (error) {
      if (stopped.signal.aborted) return;
      pause = Math.min(Math.max(pause, every) * 2, LONGEST_MS);
      tell(error.status === 401 ? "" : `Not up to date: ${error.message}`);
      // Asking again would not change these.
      if ([401, 403, 404].includes(error.status)) stopped.abort();
    } finally {
      running = false;
    }
    if (!stopped.signal.aborted) timer = setTimeout(run, pause);
  }

  function now() {
    pause = every;
    return run();
  }

  document.addEventListener("visibilitychange", () => { if (!document.hidden) now(); }, { signal: stopped.signal });
  const stop = () => { stopped.abort(); clearTimeout(timer); };
  const first = run();
  return { stop, now, first };
}

function tell(text) {
  const place = document.getElementById("live");
  if (place.textContent !== text) place.textContent = text;
}
