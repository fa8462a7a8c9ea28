// What each algorithm says of itself: reward and noise of an agent, generation and diversity of a genetic search.

import { get } from "./api.js";
import { significant } from "./figures.js";
import { Chart, colour, plain, ranked, seriesToken } from "./plot.js";

/** `<gauges-chart data-job>`: a small panel for every gauge, with a line for every search that has it. */
class GaugesChart extends Chart {
  async load() {
    return get(`/jobs/${this.dataset.job}/gauges`, { max_points: 200 });
  }

  build({ searches }) {
    const lines = ranked(searches).flatMap((search) => search.gauges.map((gauge) => ({ search, gauge })));
    const names = [...new Set(lines.map(({ gauge }) => gauge.name))];
    const across = this.clientWidth < 560 ? 1 : Math.min(3, Math.max(1, names.length));
    const down = Math.max(1, Math.ceil(names.length / across));
    this.style.setProperty("--chart-height", `${names.length ? 70 + 190 * down : 120}px`);
    const axes = {};
    const annotations = names.length ? [] : [this.note("No algorithm of this job has said anything of itself yet.")];
    names.forEach((name, place) => {
      const [column, row] = [place % across, Math.floor(place / across)];
      const number = place ? place + 1 : "";
      const width = 1 / across;
      const x = [column * width + (column ? 0.045 : 0), (column + 1) * width - (column + 1 < across ? 0.01 : 0)];
      const y = [1 - (row + 1) / down + (0.2 / down), 1 - row / down - 0.1 / down];
      axes[`xaxis${number}`] = { domain: x, anchor: `y${number}`, rangemode: "tozero", title: row + 1 === down ? { text: "Candidates told", font: { size: 12 } } : {} };
      axes[`yaxis${number}`] = { domain: y, anchor: `x${number}`, nticks: 5 };
      annotations.push({ text: plain(name[0].toUpperCase() + name.slice(1)), showarrow: false, xref: "paper", yref: "paper", x: x[0], y: y[1], xanchor: "left", yanchor: "bottom", font: { size: 13, color: colour("ink") } });
    });
    const seen = new Set();
    const traces = lines.map(({ search, gauge }) => {
      const number = names.indexOf(gauge.name);
      const first = !seen.has(search.id);
      seen.add(search.id);
      return {
        type: "scatter", mode: gauge.values.length > 1 ? "lines" : "markers", name: plain(search.algorithm), legendgroup: search.id, showlegend: first,
        x: gauge.told, y: gauge.values, xaxis: number ? `x${number + 1}` : "x", yaxis: number ? `y${number + 1}` : "y",
        line: { color: colour(seriesToken(search)), width: 2.2, dash: search.baseline ? "dot" : "solid", shape: gauge.name === "generation" ? "hv" : "linear" },
        hovertemplate: `${plain(search.algorithm)}: %{y:.4~g}<extra></extra>`,
      };
    });
    const last = lines.map(({ search, gauge }) => `${search.algorithm} ${gauge.name} ${significant(gauge.values.at(-1))}`);
    return {
      traces,
      summary: lines.length ? `What the algorithms say of themselves. Lately: ${last.join(", ")}.` : "No algorithm has said anything of itself yet.",
      layout: { hovermode: "x unified", annotations, ...axes, ...(names.length ? {} : this.blank()), legend: { orientation: "h", y: 1, yanchor: "bottom", x: 1, xanchor: "right", font: { color: colour("ink"), size: 12 } }, margin: { l: 46, r: 12, t: 34, b: 44 } },
      config: { displayModeBar: false },
    };
  }
}

customElements.define("gauges-chart", GaugesChart);
