// What a policy does to each layer: channels kept, bits of weights and activations, share of the latency, sensitivity.

import { get } from "./api.js";
import { Chart, colour, faded, plain } from "./plot.js";
import { figure } from "./figures.js";

const GAP = 0.055;

/** Heights of panels from the top down: as many as there is something to draw in. */
function domains(weights) {
  const whole = weights.reduce((sum, weight) => sum + weight, 0);
  let top = 1;
  return weights.map((weight) => {
    const height = ((1 - GAP * (weights.length - 1)) * weight) / whole;
    const domain = [Math.max(0, top - height), top];
    top -= height + GAP;
    return domain;
  });
}

/** `<layer-chart data-job data-candidate>`: panels of bars over the layers, in execution order. */
class LayerChart extends Chart {
  async load() {
    const job = `/jobs/${this.dataset.job}`;
    const [table, sensitivity] = await Promise.all([get(`${job}/candidates/${this.dataset.candidate}/layers`), get(`${job}/sensitivity`)]);
    return { layers: table.layers, sensitivity };
  }

  build({ layers, sensitivity }) {
    const names = layers.map((layer) => plain(layer.name));
    const place = layers.map((_, position) => position);
    const every = Math.max(1, Math.ceil(layers.length / 40));
    const ticks = place.filter((row) => row % every === 0);
    const panels = [this.channels(layers, names), this.bits(layers, names), this.latency(layers, names), this.sensitive(layers, names, sensitivity)].filter(Boolean);
    const places = domains(panels.map((panel) => panel.weight));
    const axisOf = (number) => (number ? `y${number + 1}` : "y");
    const axes = Object.fromEntries(panels.map((panel, number) => [
      number ? `yaxis${number + 1}` : "yaxis",
      { ...panel.axis, domain: places[number], title: { text: panel.title, font: { size: 12, color: colour("muted") } } },
    ]));
    return {
      traces: panels.flatMap((panel, number) => panel.traces.map((trace) => ({ type: "bar", x: place, textposition: "none", ...trace, yaxis: axisOf(number) }))),
      summary: `${panels.map((panel) => panel.title).join("; ")}: of ${layers.length} layers. The table below holds the same figures.`,
      layout: {
        barmode: "overlay", bargap: 0.18, hovermode: "closest", ...axes,
        xaxis: { tickmode: "array", tickvals: ticks, ticktext: ticks.map((row) => names[row]), tickangle: -50, anchor: axisOf(panels.length - 1), showgrid: false, range: [-0.6, layers.length - 0.4] },
        margin: { l: 62, r: 12, t: 40, b: 20 },
      },
      config: { displayModeBar: false },
    };
  }

  channels(layers, names) {
    const text = layers.map((layer, row) => [
      names[row],
      layer.removed ? "removed with its block" : `${layer.out_channels} of ${layer.original.out_channels} channels`,
      `${figure(layer.macs, "macs")} of ${figure(layer.original.macs, "macs")} MACs`,
    ].join("<br>"));
    return {
      title: "Channels kept (%)", weight: 1.15, axis: { range: [0, 104], tickvals: [0, 50, 100] },
      traces: [
        { name: "original", y: layers.map(() => 100), marker: { color: colour("idle-soft") }, hoverinfo: "skip" },
        { name: "channels kept", y: layers.map((layer) => (100 * layer.out_channels) / layer.original.out_channels), text, hovertemplate: "%{text}<extra></extra>", marker: { color: colour("series-0") } },
      ],
    };
  }

  bits(layers, names) {
    const text = layers.map((layer, row) => `${names[row]}<br>weights ${layer.weight_bits} bits of 32<br>activations ${layer.activation_bits} bits of 32`);
    const bar = (name, y, paint, offset) => ({ name, y, text, hovertemplate: "%{text}<extra></extra>", marker: { color: paint }, offset, width: 0.4 });
    return {
      title: "Bits", weight: 0.9, axis: { type: "log", range: [0, 1.53], tickvals: [2, 4, 8, 16, 32] },
      traces: [
        bar("weight bits", layers.map((layer) => layer.weight_bits), colour("series-2"), -0.41),
        bar("activation bits", layers.map((layer) => layer.activation_bits), faded(colour("series-1"), 0.85), 0.01),
      ],
    };
  }

  /** Each layer's part of the network's time, of the original and of what is left. */
  latency(layers, names) {
    const times = (pick) => layers.map((layer) => pick(layer) ?? 0);
    const [before, after] = [times((layer) => layer.original.latency_ms), times((layer) => layer.latency_ms)];
    const sum = (values) => values.reduce((whole, value) => whole + value, 0);
    const [whole, left] = [sum(before), sum(after)];
    if (!whole) return null;
    const share = (value, of) => (of ? (100 * value) / of : 0);
    const text = layers.map((layer, row) => [
      names[row],
      `${figure(after[row], "latency_ms")}, ${share(after[row], left).toFixed(1)} % of what is left`,
      `was ${figure(before[row], "latency_ms")}, ${share(before[row], whole).toFixed(1)} % of the original`,
    ].join("<br>"));
    const bar = (name, y, paint, offset) => ({ name, y, text, hovertemplate: "%{text}<extra></extra>", marker: { color: paint }, offset, width: 0.4 });
    return {
      title: "Latency (%)", weight: 1, axis: { rangemode: "tozero" },
      traces: [
        bar("latency before", before.map((value) => share(value, whole)), colour("baseline-0"), -0.41),
        bar("latency after", after.map((value) => share(value, left)), colour("series-3"), 0.01),
      ],
    };
  }

  sensitive(layers, names, { channels, explained }) {
    if (!channels.length) return null;
    const of = new Map(channels.flatMap((entry) => entry.layers.map((name) => [name, entry])));
    const known = layers.map((layer) => of.get(layer.name));
    return {
      title: "Sensitivity", weight: 0.9, axis: { zeroline: true },
      traces: [{
        name: "sensitivity", y: known.map((entry) => (entry ? 100 * entry.accuracy_lost : null)),
        error_y: { type: "data", array: known.map((entry) => (entry ? 100 * entry.error : 0)), color: colour("muted"), thickness: 1.2, width: 3 },
        text: known.map((entry, row) => (entry ? `${names[row]}<br>${(100 * entry.accuracy_lost).toFixed(2)} ± ${(100 * entry.error).toFixed(2)} points of accuracy<br>with each tenth of its channels<br>(estimate; explains ${Math.max(0, 100 * explained).toFixed(0)} % of the differences)` : "")),
        hovertemplate: "%{text}<extra></extra>", marker: { color: faded(colour("series-7"), explained < 0.3 ? 0.4 : 1) },
      }],
    };
  }
}

customElements.define("layer-chart", LayerChart);
