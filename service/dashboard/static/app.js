// Starts what every page needs: the theme switch, live times, buttons that act on the API, and the elements.

import "./live.js";
import "./curves.js";
import "./gauges.js";
import "./pareto.js";
import "./layers.js";
import "./heat.js";
import "./compare.js";
import "./sweep.js";
import "./upload.js";
import "./keys.js";
import "./job-form.js";
import { ago } from "./figures.js";
import { send } from "./api.js";

/** Tell people what happened: on screen, and to screen readers. */
export function announce(text, kind = "") {
  document.getElementById("announce").textContent = text;
  document.querySelector(".toast")?.remove();
  const box = document.createElement("div");
  box.className = `notice toast ${kind}`;
  const line = document.createElement("p");
  line.textContent = text;
  box.append(line);
  document.body.append(box);
  setTimeout(() => box.remove(), 7000);
}

function switchTheme() {
  const root = document.documentElement;
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
  document.cookie = `paretrim_theme=${root.dataset.theme}; path=/; max-age=31536000; samesite=lax`;
  dispatchEvent(new Event("paretrim:theme"));
}

/** `data-call="POST /jobs/x/pause"`: do it, say so, and let the page show what came of it. */
async function call(button) {
  const [method, path] = button.dataset.call.split(" ");
  if (button.dataset.confirm && !(await confirmed(button.dataset.confirm, button.textContent.trim()))) return;
  button.disabled = true;
  try {
    await send(method, path);
    if (button.dataset.then) location.assign(button.dataset.then);
    else {
      announce(button.dataset.done ?? "Done.", "good");
      document.querySelectorAll("live-region").forEach((region) => region.refresh());
    }
  } catch (error) {
    announce(error.message, "bad");
  } finally {
    button.disabled = false;
  }
}

function confirmed(question, verb) {
  const dialog = document.createElement("dialog");
  const text = document.createElement("p");
  text.textContent = question;
  const actions = document.createElement("div");
  actions.className = "actions";
  for (const [name, value, style] of [["Keep it", "no", "button"], [verb, "yes", "button danger"]]) {
    const button = document.createElement("button");
    Object.assign(button, { className: style, textContent: name, type: "button" });
    button.addEventListener("click", () => dialog.close(value));
    actions.append(button);
  }
  dialog.append(text, actions);
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      resolve(dialog.returnValue === "yes");
      dialog.remove();
    });
  });
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button?.dataset.action === "theme") switchTheme();
  else if (button?.dataset.call) call(button);
});

/** Buttons that need some rows ticked: `data-needs="2"`, at most `data-most`. */
function countTicks() {
  for (const button of document.querySelectorAll("button[data-needs]")) {
    const ticked = document.querySelectorAll(`input[form="${button.getAttribute("form")}"]:checked`).length;
    button.disabled = ticked < Number(button.dataset.needs) || ticked > Number(button.dataset.most ?? 8);
  }
}
document.addEventListener("change", countTicks);
document.addEventListener("paretrim:refreshed", countTicks);
countTicks();

function tellTimes() {
  for (const time of document.querySelectorAll("time[datetime]")) {
    const then = Date.parse(time.dateTime);
    if (Number.isNaN(then) || time.dataset.exact !== undefined) continue;
    const text = ago(then);
    if (time.textContent !== text) time.textContent = text;
  }
}
tellTimes();
setInterval(tellTimes, 10000);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => dispatchEvent(new Event("paretrim:theme")));
document.documentElement.dataset.ready = "true";
