// Charts with uPlot, in the colours of the page; they follow the width of their place and the theme.

/* global uPlot */
const made = new Map();
const HEIGHT = 180;

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

/**
 * A chart in `place`. `lines`: {label, colour, values}; `stacked` draws bars on top of each other, else lines are
 * drawn. `xs` are Unix seconds, `told` writes a value, `axis` those beside it; `daily`: each is a day in UTC. Called again for the same place it shows the new values.
 */
export function chart(place, { xs, lines, told, axis = told, stacked = false, daily = false }) {
  // What is piled highest is drawn first, and the lower ones over it.
  const data = [xs, ...(stacked ? piled(lines).reverse() : lines.map((line) => line.values))];
  if (stacked) lines = lines.toReversed();
  const shape = JSON.stringify([lines.map((line) => [line.label, line.colour]), stacked]);
  const known = made.get(place);
  if (known?.shape === shape) {
    known.lines = lines;
    known.plot.setData(data);
    return;
  }
  known?.close();
  const entry = { shape, lines };
  const draw = () => new uPlot(options(place, entry, { told, axis, stacked, daily }), data, place);
  entry.plot = draw();
  const watched = new ResizeObserver(() => entry.plot.setSize({ width: Math.max(place.clientWidth, 200), height: HEIGHT }));
  watched.observe(place);
  entry.close = () => { watched.disconnect(); entry.plot.destroy(); made.delete(place); };
  made.set(place, entry);
}

/** Forget the charts of places that are gone; with `all` the others as well, which are then drawn anew. */
export function sweep(all = false) {
  for (const [place, entry] of made) if (all || !place.isConnected) entry.close();
}

/** Each line's values on top of those before it. */
function piled(lines) {
  const sums = lines[0].values.map(() => 0);
  return lines.map((line) => line.values.map((value, index) => (sums[index] += value ?? 0)));
}

function options(place, entry, { told, axis, stacked, daily }) {
  const clock = daily ? date : time;
  const look = { stroke: colour("quiet"), grid: { stroke: colour("line"), width: 1 }, ticks: { show: false }, font: "12px system-ui, sans-serif" };
  const bars = uPlot.paths.bars({ size: [0.8, 14], gap: 1 });
  const series = entry.lines.map((line, index) => ({
    label: line.label,
    stroke: colour(line.colour),
    width: stacked ? 0 : 2,
    fill: stacked ? colour(line.colour) : undefined,
    paths: stacked ? bars : undefined,
    points: { show: !stacked, size: 5, fill: colour(line.colour), width: 0 },
    value: (_, value, __, at) => (at === null || at === undefined ? "–" : told(entry.lines[index].values[at])),
  }));
  return {
    width: Math.max(place.clientWidth, 200),
    height: HEIGHT,
    padding: [12, 8, 0, 0],
    cursor: { points: { show: !stacked }, drag: { x: false, y: false } },
    legend: { live: true },
    series: [{ label: "Time", value: (_, at) => (at ? clock(at) : "–") }, ...series],
    // Half a step more on both sides, or the outer bars would be cut in two.
    scales: { x: { time: true, range: (_, first, last) => [first - (daily ? 43_200 : 30), last + (daily ? 43_200 : 30)] }, y: { range: (_, __, most) => [0, most > 0 ? most * 1.1 : 1] } },
    axes: [
      { ...look, values: (_, at) => at.map((each) => clock(each)), space: 70, size: 28 },
      { ...look, values: (_, at) => at.map(axis), size: 62, space: 36 },
    ],
  };
}

const time = (seconds) => new Date(seconds * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hour12: false });
const date = (seconds) => new Date(seconds * 1000).toLocaleDateString([], { day: "numeric", month: "short", timeZone: "UTC" });
