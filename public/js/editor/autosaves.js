// How a text gets to the blog without being saved, and what comes back: `kept` and what the blog
// tells, `out` when the login is over, `away` when nothing answers, `refused` with a sentence.

const PATIENCE = 15_000;
const MOST_AFTER_LEAVING = 60_000; // bytes; browsers send 64 KB for a page that is gone

export async function autosave(address, text, isLeaving) {
  const body = JSON.stringify(text);
  const response = await fetch(address, {
    method: "PUT",
    headers: { "Content-Type": "application/json", Accept: "application/json" },
    body,
    redirect: "manual",
    keepalive: isLeaving && new Blob([body]).size < MOST_AFTER_LEAVING,
    signal: AbortSignal.timeout?.(PATIENCE),
  }).catch(() => null);
  const told = await response?.json().catch(() => null);
  if (response?.ok && told) return { is: "kept", told };
  if (response?.status === 401 || response?.type === "opaqueredirect") return { is: "out" };
  if (!told || response.status === 408 || response.status === 429 || response.status >= 500) {
    return { is: "away", after: Number(response?.headers.get("Retry-After")) * 1000 };
  }
  return { is: "refused", sentence: told.detail };
}
