// What keeps a page live: the job's event stream, and regions that are fetched again and merged in place.

/** Make `target`'s children what `source`'s are, touching only what differs: focus, scrolling and choices stay. */
export function merge(target, source) {
  const old = new Map([...target.children].filter((child) => child.id).map((child) => [child.id, child]));
  let place = target.firstChild;
  for (const wanted of [...source.childNodes]) {
    let same = wanted.id ? old.get(wanted.id) : place;
    if (same && (same.nodeName !== wanted.nodeName || (same.id ?? "") !== (wanted.id ?? ""))) same = null;
    if (!same) {
      target.insertBefore(document.importNode(wanted, true), place);
      continue;
    }
    if (same !== place) target.insertBefore(same, place);
    else place = place.nextSibling;
    mergeNode(same, wanted);
  }
  while (place) {
    const next = place.nextSibling;
    place.remove();
    place = next;
  }
}

function mergeNode(target, source) {
  if (target.nodeType !== Node.ELEMENT_NODE) {
    if (target.nodeValue !== source.nodeValue) target.nodeValue = source.nodeValue;
    return;
  }
  if (target.hasAttribute("data-keep")) return; // drawn by a script: it looks after itself
  for (const { name, value } of source.attributes) {
    if (target.getAttribute(name) !== value) target.setAttribute(name, value);
  }
  for (const { name } of [...target.attributes]) {
    if (!source.hasAttribute(name) && name !== "data-ready" && name !== "open") target.removeAttribute(name);
  }
  merge(target, source);
}

/** A part of the page that is fetched again: every `data-poll` milliseconds, or when an event of `data-on` arrives. */
class LiveRegion extends HTMLElement {
  connectedCallback() {
    for (const type of (this.dataset.on ?? "").split(" ").filter(Boolean)) {
      document.addEventListener(`paretrim:${type}`, () => this.refresh());
    }
    this.schedule();
    this.dataset.ready = "true";
  }

  disconnectedCallback() {
    clearTimeout(this.timer);
  }

  schedule() {
    clearTimeout(this.timer);
    if (this.dataset.poll) this.timer = setTimeout(() => this.refresh(), Number(this.dataset.poll));
  }

  async refresh() {
    if (this.busy || document.hidden) {
      this.again = this.busy;
      if (document.hidden) this.schedule();
      return;
    }
    this.busy = true;
    try {
      const response = await fetch(location.href, { headers: { Accept: "text/html" } });
      if (response.ok) this.take(await response.text());
    } catch {
      // the server is away for a moment: what is shown stays, and the next round tries again
    }
    setTimeout(() => {
      this.busy = false;
      if (this.again) {
        this.again = false;
        this.refresh();
      }
    }, 700);
    this.schedule();
  }

  take(text) {
    const fresh = new DOMParser().parseFromString(text, "text/html").getElementById(this.id);
    if (!fresh) return;
    mergeNode(this, fresh);
    this.dataset.ready = "true";
    this.dataset.refreshed = Number(this.dataset.refreshed ?? 0) + 1;
    document.dispatchEvent(new CustomEvent("paretrim:refreshed", { detail: this }));
  }
}

const TYPES = ["state", "progress", "candidates", "front", "log", "end"];

/** The events of one job, as they happen. Told to the document as `paretrim:<type>`; closed while nobody looks. */
class JobStream extends HTMLElement {
  connectedCallback() {
    this.after = Number(this.dataset.after ?? 0);
    this.onVisible = () => (document.hidden ? this.close() : this.open());
    document.addEventListener("visibilitychange", this.onVisible);
    this.open();
  }

  disconnectedCallback() {
    document.removeEventListener("visibilitychange", this.onVisible);
    this.close();
  }

  open() {
    if (this.source || this.ended || this.dataset.live !== "true") return;
    this.source = new EventSource(`/api/v1/jobs/${this.dataset.job}/events?after=${this.after}`);
    this.source.onopen = () => { this.dataset.ready = "true"; };
    for (const type of TYPES) this.source.addEventListener(type, (event) => this.tell(type, event));
  }

  close() {
    this.source?.close();
    this.source = null;
  }

  tell(type, event) {
    this.after = Math.max(this.after, Number(event.lastEventId) || 0);
    this.dataset.seq = this.after;
    if (type === "end") {
      this.ended = true;
      this.close();
    }
    const detail = event.data ? JSON.parse(event.data) : {};
    document.dispatchEvent(new CustomEvent(`paretrim:${type}`, { detail }));
  }
}

customElements.define("live-region", LiveRegion);
customElements.define("job-stream", JobStream);
