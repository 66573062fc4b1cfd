// Copies of texts that the blog does not have yet, in this browser: one for each open editor, under
// the account that it was opened for. `leaving.js` removes them when that account logs out.

const PREFIX = "inkstand:text:";

export class LocalCopy {
  constructor(account, tab) {
    this.start = `${PREFIX}${account}:`;
    this.tab = tab;
    this.key = "";
    hold(tab);
  }

  // Keep it under the post's id, or the key of a new one. Whether that was possible.
  write(copy) {
    const key = `${this.start}${copy.post || copy.key}:${this.tab}`;
    try {
      localStorage.setItem(key, JSON.stringify(copy));
    } catch {
      return false; // no room, or not allowed
    }
    if (this.key !== key) this.remove();
    this.key = key;
    return true;
  }

  remove() {
    if (this.key) drop(this.key);
    this.key = "";
  }
}

export function drop(key) {
  try {
    localStorage.removeItem(key);
  } catch {
    // Where nothing may be kept, nothing is there.
  }
}

// What editors of this account have left behind, the newest first: [{ key, copy }]. Editors that are
// open in other tabs still need theirs.
export async function leftBehind(account) {
  const open = await openTabs();
  const keys = keysOf(account).filter((key) => !open.includes(key.slice(key.lastIndexOf(":") + 1)));
  const found = keys.map((key) => ({ key, copy: read(key) })).filter(({ copy }) => copy);
  return found.sort((one, other) => other.copy.at - one.copy.at);
}

export function keysOf(account) {
  try {
    return Object.keys(localStorage).filter((key) => key.startsWith(`${PREFIX}${account}:`));
  } catch {
    return [];
  }
}

function read(key) {
  try {
    const copy = JSON.parse(localStorage.getItem(key));
    return typeof copy?.values === "object" ? copy : null;
  } catch {
    return null;
  }
}

// A lock ends with its page, also when the browser is killed. Plain HTTP has none; there, what an
// open tab keeps may be offered in a second one.
function hold(tab) {
  navigator.locks?.request(`${PREFIX}${tab}`, () => new Promise(() => {})).catch(() => {});
}

async function openTabs() {
  const { held = [] } = (await navigator.locks?.query()) ?? {};
  return held.map(({ name }) => name.slice(PREFIX.length));
}
