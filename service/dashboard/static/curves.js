// Best so far and hypervolume, one line per search, against evaluations or time.

import { get } from "./api.js";
import { LABELS, figure, significant } from "./figures.js";
import { Chart, choice, choose, colour, faded, plain, ranked, seriesToken } from "./plot.js";

/** `<curve-chart data-job data-metric>`: with a toolbar of toggles whose state is in the page's address. */
class CurveChart extends Chart {
  setUp() {
    this.shown = choice("curve", "best");
    this.against = choice("against", "evaluations");
    const tools = document.getElementById(this.dataset.tools);
    tools?.addEventListener("click", (event) => {
      const button = event.target.closest("button[data-set]");
      if (!button) return;
      this[button.dataset.set] = button.value;
      choose({ curve: this.shown === "best" ? null : this.shown, against: this.against === "evaluations" ? null : this.against });
      this.press(tools);
      this.redraw();
    });
    if (tools) this.press(tools);
  }

  press(tools) {
    for (const button of tools.querySelectorAll("button[data-set]")) {
      button.setAttribute("aria-pressed", String(this[button.dataset.set] === button.value));
    }
  }

  async load() {
    return get(`/jobs/${this.dataset.job}/curve`, { max_points: 400 });
  }

  build(data) {
    const metric = this.shown === "best" ? data.objective : "hypervolume";
    const value = (point) => (this.shown === "best" ? point.best : point.hypervolume);
    const percent = metric === "accuracy";
    const scale = percent ? 100 : 1;
    const searches = ranked(data.searches);
    const traces = searches.map((search) => {
      const points = search.points.filter((point) => value(point) !== null && value(point) !== undefined);
      return {
        type: "scatter",
        mode: points.length > 1 ? "lines" : "markers",
        name: plain(search.baseline ? `${search.algorithm} (baseline)` : search.algorithm),
        x: points.map((point) => (this.against === "time" ? point.seconds : point.index + 1)),
        y: points.map((point) => scale * value(point)),
        line: { shape: "hv", color: colour(seriesToken(search)), width: search.baseline ? 1.8 : 2.6, dash: search.baseline ? "dot" : "solid" },
        marker: { color: colour(seriesToken(search)), size: 7 },
        hovertemplate: percent ? "%{y:.2f} %" : "%{y:.4~g}",
      };
    });
    const label = this.shown === "best" ? `Best ${(LABELS[metric] ?? metric).toLowerCase()}` : "Hypervolume";
    const shapes = [];
    const original = data.original?.[metric];
    if (this.shown === "best" && typeof original === "number") {
      shapes.push({ type: "line", xref: "paper", x0: 0, x1: 1, y0: scale * original, y1: scale * original,
        line: { color: colour("muted"), width: 1, dash: "dash" },
        label: { text: "original", textposition: "start", yanchor: "top", font: { color: colour("muted"), size: 11 } } });
    }
    const last = searches.map((search) => {
      const end = search.points.at(-1);
      return `${search.algorithm}: ${end ? (percent ? figure(value(end), metric) : significant(value(end))) : "nothing yet"}`;
    });
    const empty = traces.every((trace) => !trace.x.length);
    const axes = {
      xaxis: { title: { text: this.against === "time" ? "Seconds of search" : "Evaluations of the search" }, rangemode: "tozero" },
      yaxis: { title: { text: percent ? `${label} (%)` : label } },
    };
    return {
      traces,
      summary: `${label} against ${this.against}. ${last.join(", ")}.`,
      layout: {
        hovermode: "x unified", shapes: empty ? [] : shapes, uirevision: `${this.shown}${this.against}`,
        ...(empty ? { ...this.blank(), showlegend: false, annotations: [this.note(this.shown === "best" ? "No candidate meets every constraint yet." : "Nothing has been evaluated yet.")] } : axes),
        margin: { l: 58, r: 12, t: 34, b: 44 },
      },
      config: { displayModeBar: false },
    };
  }
}

customElements.define("curve-chart", CurveChart);

/** `<proposals-chart data-job>`: the learning curve of each search. */
class ProposalsChart extends Chart {
  setUp() {
    const picker = document.querySelector(`select[data-for="${this.id}"]`);
    picker.value = choice("metric", picker.options[0].value);
    if (picker.selectedIndex < 0) picker.selectedIndex = 0;
    this.picker = picker;
    picker.addEventListener("change", () => {
      choose({ metric: picker.value });
      this.dataset.ready = "loading";
      this.refresh();
    });
  }

  async load() {
    return get(`/jobs/${this.dataset.job}/generations`, { metric: this.picker.value });
  }

  build({ metric, searches }) {
    const scaled = (values) => (metric === "accuracy" ? values.map((value) => 100 * value) : values);
    const title = metric === "accuracy" ? "Accuracy (%)" : LABELS[metric];
    const traces = ranked(searches).filter((search) => search.mean.length).flatMap((search) => {
      const paint = colour(seriesToken(search));
      const x = search.spans.map(([first, last]) => (first + last) / 2 + 1);
      const edge = (values, more) => ({ type: "scatter", mode: "lines", x, y: scaled(values), line: { width: 0 }, hoverinfo: "skip", showlegend: false, ...more });
      return [
        edge(search.high, {}),
        edge(search.low, { fill: "tonexty", fillcolor: faded(paint, search.baseline ? 0.06 : 0.12) }),
        {
          type: "scatter", mode: "lines", name: plain(search.algorithm), x, y: scaled(search.mean),
          line: { color: paint, width: search.baseline ? 1.8 : 2.4, dash: search.baseline ? "dot" : "solid" },
          hovertemplate: metric === "accuracy" ? "%{y:.2f} %" : "%{y:.4~g}",
        },
      ];
    });
    const last = searches.filter((search) => search.mean.length).map((search) => `${search.algorithm}: ${figure(search.mean.at(-1), metric)}`);
    return {
      traces,
      summary: `${title} of the proposals of each search, in order. Lately ${last.join(", ")}.`,
      layout: { hovermode: "x unified", xaxis: { title: { text: "Candidates of the search, in order" }, rangemode: "tozero" }, yaxis: { title: { text: title } }, margin: { l: 58, r: 12, t: 34, b: 46 } },
      config: { displayModeBar: false },
    };
  }
}

customElements.define("proposals-chart", ProposalsChart);
