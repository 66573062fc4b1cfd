// The server's way from Markdown to HTML: over a WebSocket, and by a form while there is none.

import { said } from "./words.js";

const ADDRESS = "/live/preview";
const FORM = "/preview";
const PATIENCE = 10_000;
const FIRST_PAUSE = 1_000;
const LONGEST_PAUSE = 60_000;
const REST = { socket: 80, form: 700 };

// Raised with a sentence for the person who writes.
export class NoPreview extends Error {}

export class Renderer {
  constructor() {
    this.socket = null;
    this.pause = FIRST_PAUSE;
    this.triesAgainAt = 0;
  }

  // The HTML for a text. Raises NoPreview, or whatever fetch does when the network is away.
  async render(text) {
    try {
      return await this.bySocket(text);
    } catch {
      return byForm(text);
    }
  }

  // How long to wait before the next text, in milliseconds.
  get rest() {
    return this.socket ? REST.socket : REST.form;
  }

  async bySocket(text) {
    if (!this.socket) await this.open();
    const answer = nextFrom(this.socket, "message");
    this.socket.send(text);
    const { data } = await answer;
    this.pause = FIRST_PAUSE;
    return data;
  }

  async open() {
    if (Date.now() < this.triesAgainAt) throw new Error("later");
    const socket = new WebSocket(location.origin.replace("http", "ws") + ADDRESS);
    try {
      await nextFrom(socket, "open");
    } catch (error) {
      this.postpone();
      throw error;
    }
    this.socket = socket;
    socket.addEventListener("close", ({ wasClean, code }) => {
      this.socket = null;
      if (!wasClean || code > 1001) this.postpone();
    });
  }

  // Not all at once, when a server comes back.
  postpone() {
    this.triesAgainAt = Date.now() + this.pause * (0.5 + Math.random());
    this.pause = Math.min(this.pause * 2, LONGEST_PAUSE);
  }

  close() {
    this.socket?.close();
    this.socket = null;
  }
}

// The next event of this kind. Rejected when the socket ends first, or nothing comes.
function nextFrom(socket, kind) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => socket.close(), PATIENCE);
    const settle = (how) => (event) => {
      clearTimeout(timer);
      how(event);
    };
    socket.addEventListener(kind, settle(resolve), { once: true });
    socket.addEventListener("close", settle(reject), { once: true });
  });
}

async function byForm(text) {
  const body = new URLSearchParams({ content: text });
  const response = await fetch(FORM, { method: "POST", body, redirect: "manual" });
  if (response.ok) return response.text();
  // A redirect leads to the login form.
  if (response.type === "opaqueredirect") throw new NoPreview(said("loginEnded"));
  if ([413, 422].includes(response.status)) throw new NoPreview(said("tooLong"));
  if (response.status === 403) throw new NoPreview(said("mayNotWrite"));
  throw new Error(`preview: ${response.status}`);
}
