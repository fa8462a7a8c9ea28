// What a policy does to each layer: channels kept, bits of weights and activations, share of the latency.

import { get } from "./api.js";
import { Chart, colour, faded, plain } from "./plot.js";
import { figure } from "./figures.js";

/** `<layer-chart data-job data-candidate>`: two panels of bars over the layers, in execution order. */
class LayerChart extends Chart {
  async load() {
    return get(`/jobs/${this.dataset.job}/candidates/${this.dataset.candidate}/layers`);
  }

  build({ layers }) {
    const names = layers.map((layer) => plain(layer.name));
    const place = layers.map((_, position) => position);
    const kept = layers.map((layer) => (100 * layer.out_channels) / layer.original.out_channels);
    const text = layers.map((layer, row) => [
      names[row],
      `${layer.out_channels} of ${layer.original.out_channels} channels`,
      `weights ${layer.weight_bits} bits, activations ${layer.activation_bits} bits`,
      `${figure(layer.macs, "macs")} of ${figure(layer.original.macs, "macs")} MACs`,
    ].join("<br>"));
    const bar = (y, more) => ({ type: "bar", x: place, y, text, textposition: "none", hovertemplate: "%{text}<extra></extra>", ...more });
    const every = Math.max(1, Math.ceil(layers.length / 40));
    const ticks = place.filter((row) => row % every === 0);
    return {
      traces: [
        bar(place.map(() => 100), { name: "original", marker: { color: colour("idle-soft") }, showlegend: false, hoverinfo: "skip", hovertemplate: null }),
        bar(kept, { name: "channels kept", marker: { color: colour("series-0") } }),
        bar(layers.map((layer) => layer.weight_bits), { name: "weight bits", yaxis: "y2", marker: { color: colour("series-2") }, offset: -0.41, width: 0.4 }),
        bar(layers.map((layer) => layer.activation_bits), { name: "activation bits", yaxis: "y2", marker: { color: faded(colour("series-1"), 0.85) }, offset: 0.01, width: 0.4 }),
      ],
      summary: `Channels kept and bits of ${layers.length} layers. The table below holds the same figures.`,
      layout: {
        barmode: "overlay", bargap: 0.18,
        xaxis: { tickmode: "array", tickvals: ticks, ticktext: ticks.map((row) => names[row]), tickangle: -50, anchor: "y2" },
        yaxis: { domain: [0.5, 1], range: [0, 104], title: { text: "Channels kept (%)" } },
        yaxis2: { domain: [0, 0.42], title: { text: "Bits" }, type: "log", range: [0, 1.53], tickvals: [2, 4, 8, 16, 32] },
        margin: { l: 58, r: 12, t: 34, b: 20 },
      },
      config: { displayModeBar: false },
    };
  }
}

customElements.define("layer-chart", LayerChart);
