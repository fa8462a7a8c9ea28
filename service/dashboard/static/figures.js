// How figures read: the same rules as render.py, for what scripts write.

export const LABELS = {
  accuracy: "Accuracy",
  latency_ms: "Latency (ms)",
  size_bytes: "Size (bytes)",
  macs: "MACs",
  bops: "Bit operations",
  peak_memory_bytes: "Peak memory (bytes)",
  energy_mj: "Energy (mJ)",
};

export function significant(value, digits = 4) {
  if (typeof value !== "number" || !Number.isFinite(value)) return "–";
  if (value === 0) return "0";
  if (Math.abs(value) < 1e-4 || Math.abs(value) >= 1e9) return value.toExponential(digits - 1);
  const decimals = Math.max(0, digits - 1 - Math.floor(Math.log10(Math.abs(value))));
  return value.toLocaleString("en", { maximumFractionDigits: decimals });
}

function scaled(value, step, units) {
  let size = 0;
  while (Math.abs(value) >= step && size < units.length - 1) {
    value /= step;
    size += 1;
  }
  return `${size ? significant(value, 3) : value.toLocaleString("en", { maximumFractionDigits: 0 })} ${units[size]}`.trim();
}

export function figure(value, metric) {
  if (typeof value !== "number" || !Number.isFinite(value)) return "–";
  if (metric === "accuracy") return `${(100 * value).toFixed(2)} %`;
  if (metric.endsWith("_bytes")) return scaled(value, 1024, ["B", "KiB", "MiB", "GiB", "TiB"]);
  if (metric === "macs" || metric === "bops") return scaled(value, 1000, ["", "K", "M", "G", "T", "P"]);
  if (metric === "latency_ms") return `${significant(value)} ms`;
  if (metric === "energy_mj") return `${significant(value)} mJ`;
  return significant(value);
}

export function duration(seconds) {
  if (seconds < 60) return `${significant(seconds, 2)} s`;
  const minutes = Math.floor(Math.round(seconds) / 60);
  if (minutes < 60) return `${minutes} min ${String(Math.round(seconds) % 60).padStart(2, "0")} s`;
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")} min`;
}

export function ago(then, now = Date.now()) {
  const seconds = (now - then) / 1000;
  if (seconds < 5) return "just now";
  if (seconds < 60) return `${Math.floor(seconds)} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ago`;
  return `${Math.floor(seconds / 86400)} d ago`;
}
