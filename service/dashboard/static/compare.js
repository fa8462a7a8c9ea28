// Several jobs in one picture: their fronts, and their hypervolumes; several candidates in one: their layers.

import { get } from "./api.js";
import { LABELS, figure, significant } from "./figures.js";
import { Chart, choice, choose, colour, frontier, plain, steps } from "./plot.js";

const scale = (metric) => (metric === "accuracy" ? 100 : 1);
const axis = (metric) => (metric === "accuracy" ? "Accuracy (%)" : (LABELS[metric] ?? metric));
const SYMBOLS = ["circle", "square", "diamond", "triangle-up", "cross", "x", "pentagon", "star"];

class JobsChart extends Chart {
  get jobs() {
    return JSON.parse(this.dataset.jobs);
  }

  each(path, parameters) {
    return Promise.all(this.jobs.map(async (job) => ({ ...job, data: await get(`/jobs/${job.id}/${path}`, parameters) })));
  }

  line(place) {
    return { color: colour(`series-${place % 8}`), width: 2.2 };
  }
}

/** `<fronts-chart data-jobs data-x data-y>`: the fronts of several jobs. */
class FrontsChart extends JobsChart {
  setUp() {
    for (const name of ["x", "y"]) {
      const picker = document.querySelector(`select[data-axis-of="${this.id}"][name="${name}"]`);
      this[name] = choice(name, this.dataset[name]);
      if (!picker) continue;
      picker.value = this[name];
      picker.addEventListener("change", () => {
        this[name] = picker.value;
        choose({ [name]: picker.value });
        this.redraw();
      });
    }
  }

  load() {
    return this.each("front");
  }

  build(jobs) {
    const traces = jobs.flatMap(({ id, name, data }, place) => {
      const members = data.members.filter(({ measurement }) => measurement?.[this.x] != null && measurement?.[this.y] != null)
        .sort((a, b) => a.measurement[this.x] - b.measurement[this.x]);
      const edge = frontier(members.map(({ measurement }) => ({ x: measurement[this.x], y: measurement[this.y] })), this.x, this.y);
      const line = {
        type: "scatter", mode: "lines", x: edge.map((point) => point.x * scale(this.x)), y: edge.map((point) => point.y * scale(this.y)),
        line: { ...this.line(place), shape: steps(this.x) }, hoverinfo: "skip", showlegend: false, legendgroup: id, name: `edge of ${plain(name)}`,
      };
      const points = {
        type: "scatter", mode: "markers", name: plain(name), legendgroup: id,
        x: members.map(({ measurement }) => measurement[this.x] * scale(this.x)),
        y: members.map(({ measurement }) => measurement[this.y] * scale(this.y)),
        customdata: members.map((member) => [id, member.n]),
        text: members.map((member) => `${plain(name)}<br>Candidate ${member.n}<br>${figure(member.measurement[this.y], this.y)}, ${figure(member.measurement[this.x], this.x)}`),
        hovertemplate: "%{text}<extra></extra>",
        marker: { size: 9, symbol: SYMBOLS[place % 8], color: colour(`series-${place % 8}`) },
      };
      return [line, points];
    });
    return {
      traces,
      summary: `Fronts of ${jobs.length} jobs: ${axis(this.y)} against ${axis(this.x)}.`,
      layout: { hovermode: "closest", xaxis: { title: { text: axis(this.x) } }, yaxis: { title: { text: axis(this.y) } }, margin: { l: 58, r: 14, t: 34, b: 46 } },
      config: { displayModeBar: false },
    };
  }

  attach() {
    this.plot.on("plotly_click", (event) => {
      const [job, n] = event.points[0].customdata;
      location.assign(`/jobs/${job}/candidates/${n}`);
    });
  }
}

/** `<volumes-chart data-jobs>`: the best search's hypervolume of each job, after so many evaluations of that search. */
class VolumesChart extends JobsChart {
  load() {
    return this.each("curve", { max_points: 200 });
  }

  build(jobs) {
    const traces = jobs.map(({ name, data }, place) => {
      const own = data.searches.filter((search) => !search.baseline && search.points.length);
      const best = (own.length ? own : data.searches).reduce((a, b) => ((b.points.at(-1)?.hypervolume ?? 0) > (a.points.at(-1)?.hypervolume ?? 0) ? b : a));
      return {
        type: "scatter", mode: "lines", name: plain(`${name}: ${best.algorithm}`),
        x: best.points.map((point) => point.index + 1), y: best.points.map((point) => point.hypervolume),
        line: { ...this.line(place), shape: "hv" }, hovertemplate: "%{y:.4~g}",
      };
    });
    return {
      traces,
      summary: `Hypervolume of the best search of ${jobs.length} jobs: ${traces.map((trace) => `${trace.name} ${significant(trace.y.at(-1))}`).join(", ")}.`,
      layout: { hovermode: "x unified", xaxis: { title: { text: "Evaluations" }, rangemode: "tozero" }, yaxis: { title: { text: "Hypervolume" } }, margin: { l: 58, r: 12, t: 34, b: 46 } },
      config: { displayModeBar: false },
    };
  }
}

/** `<layers-compare data-job data-numbers>`: channels, bits or latency of each layer under several candidates. */
class LayersCompare extends Chart {
  setUp() {
    this.what = choice("what", "channels");
    const picker = document.querySelector(`select[data-for="${this.id}"]`);
    if (!picker) return;
    picker.value = this.what;
    picker.addEventListener("change", () => {
      this.what = picker.value;
      choose({ what: picker.value });
      this.redraw();
    });
  }

  load() {
    const numbers = JSON.parse(this.dataset.numbers);
    return Promise.all(numbers.map(async (n) => ({ n, layers: (await get(`/jobs/${this.dataset.job}/candidates/${n}/layers`)).layers })));
  }

  build(candidates) {
    const value = {
      channels: (layer) => (100 * layer.out_channels) / layer.original.out_channels,
      weight_bits: (layer) => layer.weight_bits,
      activation_bits: (layer) => layer.activation_bits,
      latency_ms: (layer) => layer.latency_ms,
      macs: (layer) => layer.macs,
      size_bytes: (layer) => layer.size_bytes,
    }[this.what];
    const title = { channels: "Channels kept (%)", weight_bits: "Weight bits", activation_bits: "Activation bits" }[this.what] ?? LABELS[this.what];
    const names = candidates[0].layers.map((layer) => plain(layer.name));
    const every = Math.max(1, Math.ceil(names.length / 40));
    const ticks = names.map((_, row) => row).filter((row) => row % every === 0);
    return {
      traces: candidates.map(({ n, layers }, place) => ({
        type: "bar", name: n === 0 ? "original" : `candidate ${n}`, x: names.map((_, row) => row), y: layers.map(value),
        text: names, textposition: "none", hovertemplate: "%{text}<br>%{y:.4~g}",
        marker: { color: n === 0 ? colour("baseline-0") : colour(`series-${place % 8}`) },
      })),
      summary: `${title} of ${names.length} layers under ${candidates.length} candidates.`,
      layout: {
        barmode: "group", bargap: 0.22, hovermode: "closest",
        xaxis: { tickmode: "array", tickvals: ticks, ticktext: ticks.map((row) => names[row]), tickangle: -50 },
        yaxis: { title: { text: title }, rangemode: "tozero" }, margin: { l: 58, r: 12, t: 34, b: 20 },
      },
      config: { displayModeBar: false },
    };
  }
}

customElements.define("fronts-chart", FrontsChart);
customElements.define("volumes-chart", VolumesChart);
customElements.define("layers-compare", LayersCompare);
