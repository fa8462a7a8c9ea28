// plotly, loaded when the first chart needs it, in the page's own colours; and the element all charts descend from.

let loading = null;

/** plotly itself. Its script is large, so it comes after the page has been drawn. */
export function plotly() {
  loading ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = `${document.body.dataset.static}/plotly.js`;
    script.onload = () => resolve(window.Plotly);
    script.onerror = () => reject(new Error("The chart library could not be loaded."));
    document.head.append(script);
  });
  return loading;
}

/** Text as plotly should show it. plotly reads a little HTML in labels; names come from strangers. */
export function plain(text) {
  return String(text).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

const probe = document.createElement("span");
probe.hidden = true;

/** A colour token as plotly can read it: `light-dark()` is resolved by the browser. */
export function colour(token) {
  if (!probe.isConnected) document.body.append(probe);
  probe.style.color = `var(--${token})`;
  return getComputedStyle(probe).color;
}

/** The same colour, but see-through. */
export function faded(rgb, opacity) {
  const parts = rgb.match(/[\d.]+/g);
  return parts ? `rgba(${parts.slice(0, 3).join(",")},${opacity})` : rgb;
}

/** The token of a search's colour: `rank` counts agents and baselines apart. */
export function seriesToken(search) {
  return search.baseline ? `baseline-${search.rank % 2}` : `series-${search.rank % 8}`;
}

/** Give each search its place among its kind, in their order. */
export function ranked(searches) {
  const seen = { true: 0, false: 0 };
  return searches.map((search) => ({ ...search, rank: seen[Boolean(search.baseline)]++ }));
}

/** Of points in two metrics those that no other beats in both, by rising x: a front of more metrics looks jagged. */
export function frontier(points, xMetric, yMetric) {
  const gain = (metric, value) => (metric === "accuracy" ? value : -value);
  const order = [...points].sort((a, b) => gain(xMetric, b.x) - gain(xMetric, a.x) || gain(yMetric, b.y) - gain(yMetric, a.y));
  let best = -Infinity;
  const kept = order.filter((point) => {
    const joins = gain(yMetric, point.y) > best;
    if (joins) best = gain(yMetric, point.y);
    return joins;
  });
  return kept.sort((a, b) => a.x - b.x);
}

/** How a line through a front steps: what is had at a bound between two members is the worse of them. */
export function steps(xMetric) {
  return xMetric === "accuracy" ? "vh" : "hv";
}

/** A layout in the page's colours; `more` is laid over it. */
export function layout(more = {}) {
  const ink = colour("ink");
  const muted = colour("muted");
  const line = colour("line");
  const axis = {
    gridcolor: line, linecolor: line, zerolinecolor: line, tickcolor: line,
    tickfont: { color: muted, size: 12 }, title: { font: { color: muted, size: 13 }, standoff: 10 }, automargin: true,
    zeroline: false,
  };
  const { xaxis, yaxis, ...rest } = more;
  const one = (own = {}) => ({ ...axis, ...own, title: { ...axis.title, ...(own.title ?? {}) } });
  const axes = Object.fromEntries(
    Object.entries(rest).filter(([name]) => /^[xy]axis\d/.test(name)).map(([name, own]) => [name, one(own)]),
  );
  return {
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    font: { family: getComputedStyle(document.body).fontFamily, color: ink, size: 13 },
    margin: { l: 54, r: 14, t: 14, b: 44 },
    hoverlabel: { bgcolor: colour("surface"), bordercolor: colour("line-strong"), font: { color: ink, size: 13 }, align: "left" },
    legend: { orientation: "h", y: 1.02, yanchor: "bottom", x: 0, font: { color: ink, size: 12 }, itemwidth: 30 },
    modebar: { bgcolor: "rgba(0,0,0,0)", color: muted, activecolor: colour("accent") },
    ...rest,
    ...axes,
    xaxis: one(xaxis),
    yaxis: one(yaxis),
  };
}

export const CONFIG = {
  displaylogo: false,
  responsive: true,
  plotlyServerURL: "", // the library's own bar would offer to upload the chart to its maker
  modeBarButtons: [["select2d", "zoom2d", "pan2d", "autoScale2d", "resetScale2d", "toImage"]],
  doubleClickDelay: 400,
};

/** A chart. Subclasses say what to `load()` and how to `build(data)` it; `data-ready` is set when it is drawn. */
export class Chart extends HTMLElement {
  connectedCallback() {
    if (this.plot) return;
    this.classList.add("chart");
    this.plot = document.createElement("div");
    this.plot.className = "plot";
    this.append(this.plot);
    this.onTheme = () => this.redraw();
    addEventListener("paretrim:theme", this.onTheme);
    for (const type of (this.dataset.on ?? "").split(" ").filter(Boolean)) {
      document.addEventListener(`paretrim:${type}`, () => this.refresh());
    }
    this.setUp?.();
    this.refresh();
  }

  disconnectedCallback() {
    removeEventListener("paretrim:theme", this.onTheme);
    clearTimeout(this.timer);
  }

  /** Load and draw again; calls that come in quick succession become one. */
  refresh() {
    if (this.busy) {
      this.again = true;
      return;
    }
    this.busy = true;
    this.pass().finally(() => {
      this.timer = setTimeout(() => {
        this.busy = false;
        if (this.again) {
          this.again = false;
          this.refresh();
        }
      }, Number(this.dataset.pause ?? 700));
    });
  }

  async pass() {
    try {
      this.data = await this.load();
      await this.redraw();
      this.querySelector(".chart-error")?.remove();
    } catch (error) {
      this.fail(error);
    }
  }

  /** What to say in the middle of a chart that has nothing to draw. */
  note(text) {
    return { text, showarrow: false, xref: "paper", yref: "paper", x: 0.5, y: 0.5, font: { size: 13.5, color: colour("muted") } };
  }

  /** Axes of a chart that has nothing to draw: without figures that mean nothing. */
  blank() {
    const axis = { visible: false, range: [0, 1] };
    return { xaxis: axis, yaxis: axis };
  }

  async redraw() {
    if (this.data === undefined) return;
    const library = await plotly();
    const { traces, layout: own, config, summary } = this.build(this.data);
    await library.react(this.plot, traces, layout(own), { ...CONFIG, ...config });
    // a picture, unless it holds buttons: what is inside a picture is hidden from screen readers
    this.plot.setAttribute("role", config?.displayModeBar === false ? "img" : "figure");
    this.plot.setAttribute("aria-label", summary);
    if (!this.drawn) {
      this.drawn = true;
      this.attach?.();
    }
    this.dataset.points = traces.reduce((sum, trace) => sum + (trace.x?.length ?? trace.z?.length ?? 0), 0);
    this.dataset.ready = "true";
  }

  fail(error) {
    let box = this.querySelector(".chart-error");
    if (!box) {
      box = document.createElement("p");
      box.className = "chart-error";
      box.setAttribute("role", "alert");
      this.append(box);
    }
    box.textContent = error.message;
    this.dataset.ready = "failed";
  }
}

/** Read a choice from this page's address, and write it there, so that the address shows what is seen. */
export function choice(name, fallback) {
  return new URLSearchParams(location.search).get(name) ?? fallback;
}

export function choose(changes) {
  const url = new URL(location.href);
  for (const [name, value] of Object.entries(changes)) {
    if (value === null || value === "") url.searchParams.delete(name);
    else url.searchParams.set(name, value);
  }
  history.replaceState(history.state, "", url);
}
