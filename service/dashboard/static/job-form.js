// The form for a new job: what it asks for is what `POST /jobs` takes; what can be had is shown while it is filled in.

import { get, send } from "./api.js";
import { LABELS, figure, significant } from "./figures.js";

const RELATIVE = {
  latency_ratio: "latency_ms", size_ratio: "size_bytes", macs_ratio: "macs", bops_ratio: "bops",
  peak_memory_ratio: "peak_memory_bytes", energy_ratio: "energy_mj", accuracy_drop: "accuracy",
};

const element = (tag, className, text) => Object.assign(document.createElement(tag), { className, textContent: text });

/** `<job-outlook>`: the reach of each metric on the device, and where the time goes now. */
class JobOutlook extends HTMLElement {
  show(outlook) {
    this.smallest = outlook.smallest;
    const list = element("dl", "pairs", "");
    for (const [metric, least] of Object.entries(outlook.smallest)) {
      const now = outlook.original[metric];
      list.append(
        element("dt", "", LABELS[metric].replace(/ \(.*/, "")),
        element("dd", "", `${figure(now, metric)} now, ${figure(least, metric)} at the least`),
      );
    }
    this.replaceChildren(list, element("h3", "gap", "Where the time goes now"), ...this.parts(outlook.parts), element("p", "advice", this.advice(outlook)));
    this.dataset.ready = "true";
  }

  parts(parts) {
    return parts.slice(0, 8).map((part) => {
      const row = element("div", "part", "");
      const bar = document.createElementNS("http://www.w3.org/2000/svg", "svg");
      bar.setAttribute("viewBox", "0 0 100 8");
      bar.setAttribute("preserveAspectRatio", "none");
      bar.setAttribute("class", "meter");
      bar.setAttribute("aria-hidden", "true");
      for (const [kind, width] of [["rail", 100], ["fill", 100 * part.share]]) {
        const rect = document.createElementNS("http://www.w3.org/2000/svg", "rect");
        rect.setAttribute("class", kind);
        rect.setAttribute("width", width.toFixed(1));
        rect.setAttribute("height", "8");
        bar.append(rect);
      }
      row.append(element("span", "part-name", part.name), bar, element("span", "muted small", `${(100 * part.share).toFixed(1)} %`));
      return row;
    });
  }

  advice({ parts }) {
    const weighty = new Set(["conv1d", "conv2d", "conv_transpose2d", "linear", "lstm", "gru", "embedding"]);
    const layers = parts.filter((part) => weighty.has(part.kind));
    const named = layers.slice(0, 3);
    const share = named.reduce((sum, part) => sum + part.share, 0);
    const rest = 1 - parts.reduce((sum, part) => sum + (weighty.has(part.kind) || part.kind === "" ? part.share : 0), 0);
    const first = named.length ? `${named.map((part) => part.name).join(", ")} take ${(100 * share).toFixed(0)} % of the time: what is saved there pays most.` : "";
    return rest > 0.2 ? `${first} ${(100 * rest).toFixed(0)} % is spent outside layers with weights, which shrinks only with their channels.` : first;
  }

  fail(message) {
    this.replaceChildren(element("p", "bad", message));
    this.dataset.ready = "failed";
  }
}

class JobForm {
  constructor(form) {
    this.form = form;
    this.outlook = document.getElementById("outlook");
    this.rows = document.getElementById("constraints");
    document.getElementById("add-constraint").addEventListener("click", () => this.addConstraint("latency_ratio <= 0.5", true));
    const given = JSON.parse(document.getElementById("given-constraints").textContent);
    given.forEach((text) => this.addConstraint(text));
    form.addEventListener("input", () => this.changed());
    form.addEventListener("change", () => this.changed());
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.submit();
    });
    this.key = crypto.randomUUID?.() ?? `form-${Date.now()}-${Math.random()}`;
    this.changed();
    form.dataset.ready = "true";
  }

  addConstraint(text, focus = false) {
    const [, metric, , bound] = text.match(/^(\S+)\s*(<=|>=)\s*(\S+)$/) ?? [null, "latency_ratio", "<=", ""];
    const row = document.getElementById("constraint-row").content.firstElementChild.cloneNode(true);
    row.querySelector("select").value = metric;
    row.querySelector("input").value = bound;
    row.querySelector("[data-remove]").addEventListener("click", () => {
      row.remove();
      this.changed();
    });
    this.rows.append(row);
    if (focus) row.querySelector("select").focus();
    this.changed();
  }

  constraints() {
    return [...this.rows.children].map((row) => {
      const metric = row.querySelector("select").value;
      const relation = metric === "accuracy" ? ">=" : "<=";
      row.querySelector(".relation").textContent = metric === "accuracy" ? "≥" : "≤";
      return { row, text: `${metric} ${relation} ${row.querySelector("input").value.trim()}` };
    });
  }

  changed() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.look(), 250);
    const searches = this.checked("algorithms").length;
    const each = Number(this.value("budget.candidates")) || 0;
    document.getElementById("evaluations").textContent = searches ? `${searches * each} evaluations, and ${each} more for each baseline that is added.` : "";
  }

  /** Ask what can be had. Answers that come late are passed over. */
  async look() {
    const [model, device] = [this.value("model"), this.value("device")];
    if (!model || !device) return;
    const turn = (this.turn = (this.turn ?? 0) + 1);
    const rows = this.constraints();
    const readable = rows.filter(({ text }) => /^\S+ [<>]= [0-9.]+(e-?\d+)?$/i.test(text));
    try {
      const outlook = await send("POST", "/jobs/check", { model, device, constraints: readable.map(({ text }) => text) });
      if (turn !== this.turn) return;
      this.outlook.show(outlook);
      rows.forEach(({ row }) => { row.querySelector(".verdict").textContent = ""; });
      outlook.constraints.forEach((judged, place) => this.judge(readable[place].row, judged));
    } catch (error) {
      if (turn === this.turn) this.outlook.fail(error.message);
    }
  }

  judge(row, { verdict, reachable, metric }) {
    const line = row.querySelector(".verdict");
    const name = row.querySelector("select").value;
    const least = this.least(name, reachable, metric);
    const words = {
      met: `Can be met: the smallest reachable is ${least}.`,
      "out of reach": `Out of reach: the smallest reachable is ${least}.`,
      "no limit": "The original meets it already.",
      unknown: "Only the search can tell.",
    };
    line.textContent = words[verdict];
    line.className = `verdict ${verdict === "met" ? "good" : verdict === "out of reach" ? "bad" : "muted"}`;
    row.dataset.verdict = verdict;
  }

  /** What can be had, in the metric's own unit, and relative to the original where that was asked. */
  least(name, reachable, metric) {
    if (!RELATIVE[name]) return figure(reachable, metric);
    const whole = this.outlook.smallest?.[metric];
    return typeof whole === "number" ? `${figure(whole, metric)}, ${significant(reachable, 3)} of the original` : significant(reachable, 3);
  }

  value(name) {
    return this.form.elements[name]?.value.trim() ?? "";
  }

  checked(name) {
    return [...this.form.querySelectorAll(`input[name="${name}"]:checked`)].map((box) => box.value);
  }

  number(name) {
    const text = this.value(name);
    if (text === "") return undefined;
    const value = Number(text);
    return Number.isNaN(value) ? text : value; // text that is no number is for the server to refuse, by name
  }

  algorithms() {
    return this.checked("algorithms").map((name) => {
      const options = {};
      for (const input of this.form.querySelectorAll(`[data-algorithm="${CSS.escape(name)}"] [data-option]`)) {
        const text = input.value.trim();
        if (text !== "") options[input.dataset.option] = Number.isNaN(Number(text)) ? text : Number(text);
      }
      return Object.keys(options).length ? { name, options } : name;
    });
  }

  request() {
    const text = {
      model: this.value("model"), dataset: this.value("dataset"), device: this.value("device"), metric: this.value("metric"),
      name: this.value("name") || undefined,
    };
    const numbers = {};
    for (const name of ["seed", "finetune_epochs", "deliver", "validation_samples", "window", "priority"]) numbers[name] = this.number(name);
    return {
      ...text,
      ...numbers,
      tags: this.value("tags").split(",").map((tag) => tag.trim()).filter(Boolean),
      algorithms: this.algorithms(),
      objectives: this.checked("objectives"),
      constraints: this.constraints().map((constraint) => constraint.text),
      budget: { candidates: this.number("budget.candidates"), seconds: this.number("budget.seconds") },
    };
  }

  async submit() {
    this.refused([]);
    const button = this.form.querySelector('button[type="submit"]');
    button.disabled = true;
    try {
      const job = await send("POST", "/jobs", this.request(), { "Idempotency-Key": this.key });
      location.assign(`/jobs/${job.id}`);
    } catch (error) {
      this.key = crypto.randomUUID?.() ?? `form-${Date.now()}-${Math.random()}`;
      this.refused(error.errors?.length ? error.errors : [{ pointer: "", message: error.message }]);
      button.disabled = false;
    }
  }

  /** Put each refusal beside its field; what has no field goes above the button. */
  refused(errors) {
    for (const place of this.form.querySelectorAll("[data-error-for]")) place.hidden = true;
    const rest = [];
    for (const { pointer, message } of errors) {
      const place = [...this.form.querySelectorAll("[data-error-for]")].find(({ dataset }) => pointer === dataset.errorFor || pointer.startsWith(`${dataset.errorFor}.`));
      if (place) Object.assign(place, { hidden: false, textContent: message });
      else rest.push(pointer ? `${pointer}: ${message}` : message);
    }
    const general = document.getElementById("form-error");
    general.hidden = errors.length === 0;
    general.textContent = rest.join(" ") || "Something above needs your attention.";
    const first = this.form.querySelector("[data-error-for]:not([hidden])");
    (first ?? general).scrollIntoView({ block: "center" });
  }
}

customElements.define("job-outlook", JobOutlook);
const form = document.getElementById("job-form");
if (form) new JobForm(form);
