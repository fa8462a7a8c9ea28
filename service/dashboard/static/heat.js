// What a search has learned: groups or layers downwards, generations across, and the front beside them.

import { get } from "./api.js";
import { Chart, choice, choose, colour, plain } from "./plot.js";

const WHAT = {
  keep: { title: "Keep ratio", format: (value) => `${(100 * value).toFixed(0)} % kept`, range: [0, 1] },
  weight_bits: { title: "Weight bits", format: (value) => `${value.toFixed(1)} bits`, range: [2, 32] },
  activation_bits: { title: "Activation bits", format: (value) => `${value.toFixed(1)} bits`, range: [2, 32] },
};

/** `<heat-map data-job>`: pickers choose the search and what is shown. */
class HeatMap extends Chart {
  setUp() {
    for (const picker of document.querySelectorAll(`select[data-for="${this.id}"]`)) {
      const known = [...picker.options].map((option) => option.value);
      const asked = choice(picker.name, known[0]);
      picker.value = known.includes(asked) ? asked : known[0];
      this[picker.name] = picker.value;
      picker.addEventListener("change", () => {
        this[picker.name] = picker.value;
        choose({ [picker.name]: picker.value });
        this.dataset.ready = "loading";
        this.refresh();
      });
    }
  }

  async load() {
    return get(`/jobs/${this.dataset.job}/map`, { search: this.search, what: this.what, columns: 60 });
  }

  /** Bits differ in octaves: they are coloured by their logarithm. */
  shade(value) {
    return this.data.what === "keep" ? value : Math.log2(Math.max(1, value));
  }

  trace(data, x, rows, more) {
    const { format, range } = WHAT[data.what];
    return {
      type: "heatmap",
      x,
      y: data.rows.map((_, row) => row),
      z: rows.map((row) => row.map((value) => this.shade(value))),
      text: rows.map((row, place) => row.map((value) => `${plain(data.rows[place])}<br>${format(value)}`)),
      hovertemplate: "%{text}<br>%{x}<extra></extra>",
      zmin: this.shade(range[0]),
      zmax: this.shade(range[1]),
      colorscale: this.scale(),
      ...more,
    };
  }

  scale() {
    return [[0, colour("heat-0")], [0.5, colour("heat-1")], [1, colour("heat-2")]];
  }

  bar(what) {
    const ticks = what === "keep" ? [0, 0.25, 0.5, 0.75, 1] : [2, 4, 8, 16, 32];
    return {
      title: { text: WHAT[what].title, side: "right", font: { size: 12, color: colour("muted") } },
      tickvals: ticks.map((tick) => this.shade(tick)),
      ticktext: ticks.map((tick) => (what === "keep" ? `${100 * tick} %` : String(tick))),
      tickfont: { color: colour("muted"), size: 11 }, outlinewidth: 0, thickness: 14, len: 0.9,
    };
  }

  build(data) {
    this.style.setProperty("--chart-height", `${Math.max(260, Math.min(900, 110 + 20 * data.rows.length))}px`);
    const labels = data.spans.map(([first, last]) => (first === last ? `${first + 1}` : `${first + 1}–${last + 1}`));
    const traces = [this.trace(data, labels, data.values, { showscale: true, colorbar: this.bar(data.what), xgap: 1, ygap: 1 })];
    if (data.front) {
      traces.push(this.trace(data, ["front"], data.front.map((value) => [value]), { showscale: false, xaxis: "x2", ygap: 1 }));
    }
    const every = Math.max(1, Math.ceil(data.rows.length / 60));
    const ticks = data.rows.map((_, row) => row).filter((row) => row % every === 0);
    return {
      traces,
      summary: `${WHAT[data.what].title} of ${data.rows.length} ${data.what === "keep" ? "groups" : "layers"} over ${data.spans.length} runs of candidates.`,
      layout: {
        xaxis: { title: { text: "Candidates of the search, in order" }, domain: [0, data.front ? 0.93 : 1], type: "category", showgrid: false, tickangle: 0, nticks: 12 },
        xaxis2: { domain: [0.95, 1], type: "category", showgrid: false, anchor: "y" },
        yaxis: { autorange: "reversed", showgrid: false, tickmode: "array", tickvals: ticks, ticktext: ticks.map((row) => plain(data.rows[row])) },
        margin: { l: 60, r: 10, t: 14, b: 46 },
      },
      config: { displayModeBar: false },
    };
  }
}

customElements.define("heat-map", HeatMap);
