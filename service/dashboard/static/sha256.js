// SHA-256 of a file, piece by piece (FIPS 180-4). The browser's own digest wants all of it in memory, and HTTPS.

const K = new Uint32Array(64);
const START = new Uint32Array(8);

/** The constants: fractional parts of the cube and square roots of the first primes. */
function prepare() {
  const fraction = (value) => ((value - Math.floor(value)) * 2 ** 32) >>> 0;
  let count = 0;
  for (let candidate = 2; count < 64; candidate += 1) {
    let prime = true;
    for (let divisor = 2; divisor * divisor <= candidate; divisor += 1) if (candidate % divisor === 0) prime = false;
    if (!prime) continue;
    if (count < 8) START[count] = fraction(Math.sqrt(candidate));
    K[count] = fraction(Math.cbrt(candidate));
    count += 1;
  }
}
prepare();

const rotate = (value, by) => (value >>> by) | (value << (32 - by));

export class Sha256 {
  constructor() {
    this.state = START.slice();
    this.rest = new Uint8Array(64);
    this.held = 0;
    this.bytes = 0;
    this.words = new Uint32Array(64);
  }

  /** Take in more bytes. */
  update(bytes) {
    this.bytes += bytes.length;
    let at = 0;
    if (this.held) {
      at = Math.min(64 - this.held, bytes.length);
      this.rest.set(bytes.subarray(0, at), this.held);
      this.held += at;
      if (this.held < 64) return;
      this.block(this.rest, 0);
      this.held = 0;
    }
    for (; at + 64 <= bytes.length; at += 64) this.block(bytes, at);
    this.rest.set(bytes.subarray(at));
    this.held = bytes.length - at;
  }

  block(bytes, at) {
    const { words, state } = this;
    for (let t = 0; t < 16; t += 1) {
      const b = at + 4 * t;
      words[t] = (bytes[b] << 24) | (bytes[b + 1] << 16) | (bytes[b + 2] << 8) | bytes[b + 3];
    }
    for (let t = 16; t < 64; t += 1) {
      const near = words[t - 2];
      const far = words[t - 15];
      const s1 = rotate(near, 17) ^ rotate(near, 19) ^ (near >>> 10);
      const s0 = rotate(far, 7) ^ rotate(far, 18) ^ (far >>> 3);
      words[t] = (s1 + words[t - 7] + s0 + words[t - 16]) | 0;
    }
    let [a, b, c, d, e, f, g, h] = state;
    for (let t = 0; t < 64; t += 1) {
      const one = (h + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + ((e & f) ^ (~e & g)) + K[t] + words[t]) | 0;
      const two = ((rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      h = g; g = f; f = e; e = (d + one) | 0; d = c; c = b; b = a; a = (one + two) | 0;
    }
    state[0] += a; state[1] += b; state[2] += c; state[3] += d; state[4] += e; state[5] += f; state[6] += g; state[7] += h;
  }

  /** The digest in hexadecimal. Nothing may be taken in afterwards. */
  hex() {
    const bits = this.bytes * 8;
    const tail = new Uint8Array(this.held < 56 ? 64 - this.held : 128 - this.held);
    tail[0] = 0x80;
    const view = new DataView(tail.buffer);
    view.setUint32(tail.length - 8, Math.floor(bits / 2 ** 32));
    view.setUint32(tail.length - 4, bits >>> 0);
    this.update(tail);
    return [...this.state].map((word) => word.toString(16).padStart(8, "0")).join("");
  }
}

/** The digest of a Blob; `progress` is told the share that is done. */
export async function digest(blob, progress = () => {}) {
  const hash = new Sha256();
  const step = 8 * 2 ** 20;
  for (let at = 0; at < blob.size; at += step) {
    hash.update(new Uint8Array(await blob.slice(at, at + step).arrayBuffer()));
    progress(Math.min(1, (at + step) / blob.size));
  }
  return hash.hex();
}
