// Every candidate as a point of two metrics; the front, the original, the baselines and the constraints among them.

import { get } from "./api.js";
import { LABELS, figure } from "./figures.js";
import { Chart, choice, choose, colour, faded, frontier, plain, ranked, seriesToken, steps } from "./plot.js";

const SCALE = { accuracy: 100 };
const scaled = (value, metric) => (value === null || value === undefined ? null : value * (SCALE[metric] ?? 1));
const label = (metric) => (metric === "accuracy" ? "Accuracy (%)" : (LABELS[metric] ?? metric));

/** `<pareto-chart data-job data-x data-y>`: pickers choose the axes, a click opens, a box fills the table. */
class ParetoChart extends Chart {
  setUp() {
    this.x = choice("x", this.dataset.x);
    this.y = choice("y", this.dataset.y);
    for (const picker of document.querySelectorAll(`select[data-axis-of="${this.id}"]`)) {
      picker.value = this[picker.name];
      picker.addEventListener("change", () => {
        this[picker.name] = picker.value;
        choose({ [picker.name]: picker.value });
        this.refresh();
      });
    }
  }

  async load() {
    return get(`/jobs/${this.dataset.job}/points`, { x: this.x, y: this.y, max_points: 1500 });
  }

  rows(data, keep) {
    const rows = [];
    for (let row = 0; row < data.n.length; row += 1) if (keep(row)) rows.push(row);
    return rows;
  }

  trace(data, rows, more) {
    return {
      type: "scatter",
      mode: "markers",
      x: rows.map((row) => scaled(data.x[row], this.x)),
      y: rows.map((row) => scaled(data.y[row], this.y)),
      customdata: rows.map((row) => data.n[row]),
      text: rows.map((row) => this.hover(data, row)),
      hovertemplate: "%{text}<extra></extra>",
      ...more,
    };
  }

  hover(data, row) {
    const search = data.searches[data.search[row]];
    const kind = data.front[row] ? "on the front" : data.feasible[row] ? "dominated" : "breaks a constraint";
    return [
      `Candidate ${data.n[row]}, ${plain(search ? search.algorithm : "original")}`,
      `${figure(data.y[row], this.y)}, ${figure(data.x[row], this.x)}`,
      kind,
    ].join("<br>");
  }

  build(data) {
    const searches = ranked(data.searches);
    const traces = [];
    searches.forEach((search, position) => {
      const paint = colour(seriesToken(search));
      const mine = (row) => data.search[row] === position && !data.front[row];
      const broken = this.rows(data, (row) => mine(row) && !data.feasible[row]);
      const fine = this.rows(data, (row) => mine(row) && data.feasible[row]);
      const symbol = search.baseline ? ["square", "triangle-up"][search.rank % 2] : "circle";
      if (broken.length) {
        traces.push(this.trace(data, broken, { showlegend: false, legendgroup: search.algorithm,
          marker: { symbol: `${symbol}-open`, size: 6, color: faded(paint, 0.55), line: { width: 1, color: faded(paint, 0.55) } } }));
      }
      traces.push(this.trace(data, fine, { name: plain(search.algorithm), legendgroup: search.algorithm,
        marker: { symbol, size: 7, color: faded(paint, search.baseline ? 0.6 : 0.72) } }));
    });
    traces.push(...this.frontTraces(data, searches), ...this.originalTrace(data));
    const front = data.front.reduce((sum, flag) => sum + flag, 0);
    return {
      traces,
      summary: `${label(this.y)} against ${label(this.x)} of ${data.total} candidates, ${front} of them on the front. The tables on this page hold the same figures.`,
      layout: {
        dragmode: "select", hovermode: "closest", uirevision: `${this.x} ${this.y}`, ...this.constraintLines(data),
        xaxis: { title: { text: label(this.x) } },
        ...this.near(data),
        ...(data.total || data.original ? {} : { ...this.blank(), showlegend: false, annotations: [this.note("Nothing has been measured yet: the job is being prepared.")] }),
        margin: { l: 58, r: 14, t: 34, b: 46 }, newselection: { line: { color: colour("accent"), width: 1.5, dash: "dot" } },
      },
    };
  }

  frontTraces(data, searches) {
    const rows = this.rows(data, (row) => data.front[row]).sort((a, b) => data.x[a] - data.x[b]);
    const edge = frontier(rows.map((row) => ({ x: data.x[row], y: data.y[row] })), this.x, this.y);
    const paints = rows.map((row) => colour(seriesToken(searches[data.search[row]] ?? { baseline: true, rank: 0 })));
    const line = {
      type: "scatter", mode: "lines", x: edge.map((point) => scaled(point.x, this.x)), y: edge.map((point) => scaled(point.y, this.y)),
      line: { shape: steps(this.x), color: colour("ink"), width: 1.6 }, hoverinfo: "skip", showlegend: false, name: "edge of the front",
    };
    return [line, this.trace(data, rows, { name: "front", marker: { size: 11, color: paints, line: { width: 2, color: colour("ink") } } })];
  }

  originalTrace(data) {
    const [x, y] = [data.original?.[this.x], data.original?.[this.y]];
    if (typeof x !== "number" || typeof y !== "number") return [];
    return [{
      type: "scatter", mode: "markers", name: "original", x: [scaled(x, this.x)], y: [scaled(y, this.y)], customdata: [0],
      text: [`Original<br>${figure(y, this.y)}, ${figure(x, this.x)}`], hovertemplate: "%{text}<extra></extra>",
      marker: { symbol: "star-diamond", size: 15, color: colour("surface"), line: { width: 2.2, color: colour("ink") } },
    }];
  }

  /** Upwards, first show where the front is: a few candidates that failed to classify would press it flat. */
  near(data) {
    const title = { text: label(this.y) };
    const front = this.rows(data, (row) => data.front[row]).map((row) => data.y[row]);
    const known = data.y.filter((value) => value !== null).sort((a, b) => a - b);
    if (this.y !== "accuracy" || !front.length || known.length < 20) return { yaxis: { title } };
    const most = Math.max(known.at(-1), data.original?.accuracy ?? 0);
    const least = Math.min(...front, known[Math.floor(known.length / 4)]);
    const floor = Math.max(0, least - 0.12 * (most - least) - 0.005);
    this.below = floor - known[0] < 0.3 * (most - floor) ? 0 : known.filter((value) => value < floor).length;
    this.dataset.below = this.below;
    if (!this.below) return { yaxis: { title } };
    const text = `${this.below} less accurate ${this.below === 1 ? "candidate lies" : "candidates lie"} below: Autoscale shows all`;
    const note = { text, showarrow: false, xref: "paper", yref: "paper", x: 0, y: 0, xanchor: "left", yanchor: "bottom", font: { size: 11, color: colour("muted") }, bgcolor: faded(colour("surface"), 0.85) };
    return { yaxis: { title, range: [scaled(floor, this.y), scaled(most + 0.06 * (most - floor), this.y)] }, annotations: [...this.constraintLines(data).annotations, note] };
  }

  constraintLines(data) {
    const [shapes, annotations] = [[], []];
    const line = { color: colour("bad"), width: 1.4, dash: "dash" };
    const label = { showarrow: false, font: { color: colour("bad"), size: 11 }, bgcolor: faded(colour("surface"), 0.85), borderpad: 2 };
    for (const { metric, limit, text } of data.constraints) {
      if (typeof limit !== "number") continue;
      const at = scaled(limit, metric);
      if (metric === this.x) {
        shapes.push({ type: "line", yref: "paper", y0: 0, y1: 1, x0: at, x1: at, line });
        annotations.push({ ...label, text: plain(text), x: at, xanchor: "right", xshift: -4, yref: "paper", y: 0, yanchor: "bottom" });
      }
      if (metric === this.y) {
        shapes.push({ type: "line", xref: "paper", x0: 0, x1: 1, y0: at, y1: at, line });
        annotations.push({ ...label, text: plain(text), y: at, yanchor: "bottom", xref: "paper", x: 1, xanchor: "right" });
      }
    }
    return { shapes, annotations };
  }

  attach() {
    this.plot.on("plotly_click", (event) => {
      const number = event.points[0]?.customdata;
      if (number !== undefined) location.assign(`/jobs/${this.dataset.job}/candidates/${number}`);
    });
    this.plot.on("plotly_selected", (event) => event?.range && this.select(event.range));
    this.plot.on("plotly_deselect", () => this.select(null));
  }

  /** What a box holds becomes a filter in the address, so that the server lists all of it, drawn or not. */
  select(range) {
    const bounds = (metric, [a, b]) => {
      const [from, to] = [Math.min(a, b), Math.max(a, b)].map((bound) => Number((bound / (SCALE[metric] ?? 1)).toPrecision(6)));
      return [`${metric} >= ${Math.max(0, from)}`, `${metric} <= ${to}`];
    };
    choose({ where: range ? [...bounds(this.x, range.x), ...bounds(this.y, range.y)].join(", ") : null });
    document.dispatchEvent(new CustomEvent("paretrim:selected"));
  }
}

customElements.define("pareto-chart", ParetoChart);
