// The JSON API, as anybody's script would use it. Same-origin requests carry the session; unsafe ones its CSRF token.

export const API = "/api/v1";

/** An error answer of the API. `errors` name the fields. */
export class Problem extends Error {
  constructor(status, body) {
    super(body.detail || body.title || `The server answered ${status}.`);
    this.status = status;
    this.errors = body.errors || [];
  }
}

function address(path, parameters = {}) {
  const url = new URL(API + path, location.origin);
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined && value !== null && value !== "") url.searchParams.append(name, value);
  }
  return url;
}

async function answer(response) {
  const text = await response.text();
  let body = {};
  try {
    body = text ? JSON.parse(text) : {};
  } catch {
    body = { detail: `The server answered ${response.status}, and not with JSON.` };
  }
  if (!response.ok) throw new Problem(response.status, body);
  return body;
}

export async function get(path, parameters, signal) {
  return answer(await fetch(address(path, parameters), { headers: { Accept: "application/json" }, signal }));
}

export function csrfToken() {
  return document.querySelector('meta[name="csrf-token"]')?.content ?? "";
}

export async function send(method, path, body, headers = {}) {
  const raw = body instanceof Blob;
  return answer(
    await fetch(address(path), {
      method,
      headers: {
        Accept: "application/json",
        "X-CSRF-Token": csrfToken(),
        ...(raw || body === undefined ? {} : { "Content-Type": "application/json" }),
        ...headers,
      },
      body: raw ? body : body === undefined ? undefined : JSON.stringify(body),
    }),
  );
}
