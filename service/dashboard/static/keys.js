// Makes an API key, and shows its secret once.

import { send } from "./api.js";

const form = document.getElementById("key-form");
form?.addEventListener("submit", async (event) => {
  event.preventDefault();
  const box = document.getElementById("new-key");
  const refusal = document.getElementById("key-error");
  const expires = form.elements.expires.value;
  try {
    const key = await send("POST", "/keys", {
      name: form.elements.name.value.trim(),
      scopes: [...form.querySelectorAll('input[name="scopes"]:checked')].map((input) => input.value),
      ...(expires ? { expires_in_seconds: Number(expires) } : {}),
    });
    document.getElementById("new-secret").textContent = key.secret;
    box.hidden = false;
    refusal.hidden = true;
    form.reset();
    document.getElementById("keys").refresh();
  } catch (error) {
    refusal.textContent = error.message;
    refusal.hidden = false;
    box.hidden = true;
  }
});
document.getElementById("copy-secret")?.addEventListener("click", () => {
  navigator.clipboard?.writeText(document.getElementById("new-secret").textContent);
});
