// A device's times along the channels of one operation: measured points, interpolated lines, and their steps.

import { get } from "./api.js";
import { significant } from "./figures.js";
import { Chart, choice, choose, colour, faded, plain } from "./plot.js";

/** `<sweep-chart data-device>`: pickers choose the operation and the side. */
class SweepChart extends Chart {
  setUp() {
    this.pickers = Object.fromEntries([...document.querySelectorAll(`select[data-for="${this.id}"]`)].map((picker) => [picker.name, picker]));
    for (const [name, picker] of Object.entries(this.pickers)) {
      const asked = choice(name, picker.options[0].value);
      picker.value = asked;
      if (picker.selectedIndex < 0) picker.selectedIndex = 0;
      picker.addEventListener("change", () => {
        choose({ [name]: picker.value });
        this.dataset.ready = "loading";
        this.refresh();
      });
    }
  }

  async load() {
    const { shape, along } = this.pickers;
    return get(`/devices/${encodeURIComponent(this.dataset.device)}/sweep`, { op: shape.selectedOptions[0].dataset.op, along: along.value });
  }

  build(data) {
    const drawn = data.series.filter((series) => series.channels.length || series.measured_channels.length);
    const traces = drawn.flatMap((series, place) => this.traces(series, place));
    const missing = drawn.length ? "" : (data.series[0]?.missing ?? "");
    const last = drawn.filter((series) => series.channels.length).map((series) => `${series.label}: ${significant(1000 * series.latency_ms.at(-1))} microseconds at ${series.channels.at(-1)} channels`);
    return {
      traces,
      summary: `Latency of ${data.label} against ${data.along.replace("_", " ")}. ${last.join(", ")}. ${missing}`,
      layout: {
        hovermode: "x unified", uirevision: data.label,
        xaxis: { title: { text: data.along === "out_channels" ? "Output channels" : "Input channels" }, rangemode: "tozero" },
        yaxis: { title: { text: "Latency (µs)" }, rangemode: "tozero" },
        margin: { l: 58, r: 12, t: 34, b: 46 },
      },
      config: { displayModeBar: false },
    };
  }

  traces(series, place) {
    const paint = colour(`series-${place % 8}`);
    const scaled = (values) => values.map((value) => 1000 * value);
    const name = plain(series.label);
    const band = series.low_ms.some((low, row) => low !== series.high_ms[row]);
    const parts = [];
    if (band) {
      parts.push(
        { type: "scatter", mode: "lines", x: series.channels, y: scaled(series.high_ms), line: { width: 0, shape: "hvh" }, hoverinfo: "skip", showlegend: false },
        { type: "scatter", mode: "lines", x: series.channels, y: scaled(series.low_ms), line: { width: 0, shape: "hvh" }, fill: "tonexty", fillcolor: faded(paint, 0.12), hoverinfo: "skip", showlegend: false },
      );
    }
    parts.push({
      type: "scatter", mode: "lines", name, x: series.channels, y: scaled(series.latency_ms), text: series.source.map(plain),
      line: { color: paint, width: 2, shape: "hvh" }, hovertemplate: "%{y:.4~g} µs, %{text}",
    });
    if (series.measured_channels.length) {
      parts.push({
        type: "scatter", mode: "markers", name: `${name}, measured`, x: series.measured_channels, y: scaled(series.measured_ms),
        marker: { color: colour("surface"), size: 8, symbol: ["circle", "square", "diamond", "triangle-up"][place % 4], line: { color: paint, width: 2 } },
        hovertemplate: "%{y:.4~g} µs",
      });
    }
    return parts;
  }
}

customElements.define("sweep-chart", SweepChart);
