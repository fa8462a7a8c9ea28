// `<file-upload data-kind>`: a file picked or dropped goes to the API in parts, with its progress shown, and is inspected.

import { API, csrfToken, get, send } from "./api.js";
import { figure } from "./figures.js";
import { digest } from "./sha256.js";

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

class FileUpload extends HTMLElement {
  connectedCallback() {
    if (this.input) return;
    const id = `file-${this.dataset.kind}-${Math.random().toString(36).slice(2, 8)}`;
    const label = Object.assign(document.createElement("label"), { htmlFor: id, className: "drop" });
    label.append(
      Object.assign(document.createElement("b"), { textContent: `Choose a ${this.dataset.kind}` }),
      " or drop it here",
    );
    this.input = Object.assign(document.createElement("input"), {
      type: "file", id, className: "visually-hidden",
      accept: this.dataset.kind === "model" ? ".onnx,.safetensors" : ".npz",
    });
    this.status = Object.assign(document.createElement("p"), { className: "upload-status", role: "status" });
    this.bar = Object.assign(document.createElement("progress"), { max: 1, hidden: true });
    this.bar.setAttribute("aria-label", "Upload");
    this.append(this.input, label, this.bar, this.status);
    this.input.addEventListener("change", () => this.input.files[0] && this.take(this.input.files[0]));
    for (const type of ["dragover", "drop"]) {
      label.addEventListener(type, (event) => {
        event.preventDefault();
        if (type === "drop" && event.dataTransfer.files[0]) this.take(event.dataTransfer.files[0]);
      });
    }
    this.dataset.ready = "true";
  }

  tell(text, state) {
    this.status.textContent = text;
    this.dataset.state = state;
  }

  async take(file) {
    try {
      const id = await this.carry(file);
      const shown = await this.inspected(id);
      if (shown.state === "rejected") throw new Error(`Rejected: ${shown.reason}`);
      this.tell(`${file.name} is ready.`, "ready");
      this.offer(id, file.name);
    } catch (error) {
      this.bar.hidden = true;
      this.tell(error.message, "failed");
    }
  }

  /** Send the bytes; returns the id of the model or dataset they became. */
  async carry(file) {
    this.bar.hidden = false;
    this.tell(`Reading ${file.name}`, "reading");
    const sha256 = await digest(file, (share) => { this.bar.value = share; });
    const upload = await send("POST", "/uploads", {
      kind: this.dataset.kind, filename: file.name, size_bytes: file.size, sha256, name: file.name,
    });
    const parts = Math.ceil(file.size / upload.part_size_bytes);
    for (let part = 1; part <= parts; part += 1) {
      const start = (part - 1) * upload.part_size_bytes;
      const piece = file.slice(start, start + upload.part_size_bytes);
      await this.put(`${API}/uploads/${upload.id}/parts/${part}`, piece, (sent) => {
        this.bar.value = (start + sent) / file.size;
        this.tell(`${figure(start + sent, "size_bytes")} of ${figure(file.size, "size_bytes")} sent`, "sending");
      });
    }
    const complete = await send("POST", `/uploads/${upload.id}/complete`);
    return complete.resource_id;
  }

  /** One part. XMLHttpRequest, because fetch does not tell how much has been sent. */
  put(address, piece, progress) {
    return new Promise((resolve, reject) => {
      const request = new XMLHttpRequest();
      request.open("PUT", address);
      request.setRequestHeader("X-CSRF-Token", csrfToken());
      request.setRequestHeader("Content-Type", "application/octet-stream");
      request.upload.onprogress = (event) => progress(event.loaded);
      request.onerror = () => reject(new Error("The connection broke. Try again."));
      request.onload = () => {
        if (request.status < 300) return resolve();
        let detail = `The server answered ${request.status}.`;
        try {
          detail = JSON.parse(request.responseText).detail ?? detail;
        } catch {
          // it was no problem document: the status says what there is to say
        }
        return reject(new Error(detail));
      };
      request.send(piece);
    });
  }

  async inspected(id) {
    this.bar.removeAttribute("value");
    this.tell("Being inspected", "inspecting");
    for (;;) {
      const shown = await get(`/${this.dataset.kind}s/${id}`);
      if (shown.state !== "inspecting") {
        this.bar.hidden = true;
        return shown;
      }
      await pause(400);
    }
  }

  /** Choose it in the form beside us, or go to its page. */
  offer(id, name) {
    const select = this.dataset.select && document.getElementById(this.dataset.select);
    if (!select) {
      document.querySelectorAll("live-region").forEach((region) => region.refresh());
      return;
    }
    select.querySelector('option[value=""]')?.remove();
    select.prepend(new Option(name, id, true, true));
    select.value = id;
    select.dispatchEvent(new Event("change", { bubbles: true }));
  }
}

customElements.define("file-upload", FileUpload);
