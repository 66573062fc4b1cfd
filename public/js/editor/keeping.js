// What was typed is never lost: it goes to the blog by itself, and stays in this browser until it is
// there. Nothing of that is public, or saved: that is for the buttons.

import { autosave } from "./autosaves.js";
import { LocalCopy } from "./local_copies.js";
import { restore } from "./restoring.js";
import { LOCALE, said } from "./words.js";

const PAUSE = 2_000; // after the last key
const LONGEST = 5_000; // while keys go on
const LOCAL_PAUSE = 300;
const LONGEST_WAIT = 30_000;
const A_WHILE = 1_000; // what is quicker is not worth a word
const A_MOMENT = 60_000;
const PATIENCE = 3_000; // with a button that was pressed

export function startKeeping(desk) {
  if (!desk.form.dataset.account) return;
  const keeping = new Keeping(desk);
  keeping.listen();
  restore(keeping);
}

class Keeping {
  constructor(desk) {
    const { dataset, elements } = desk.form;
    this.desk = desk;
    this.form = desk.form;
    this.account = dataset.account;
    this.post = dataset.post ?? ""; // its id, once there is one
    this.tab = elements.tab.value || crypto.getRandomValues(new Uint32Array(3)).join("-");
    this.seen = elements.seen.value;
    this.copy = new LocalCopy(this.account, this.tab);
    this.known = JSON.stringify(written(this.form, desk.values())); // what the blog has
    this.isTyped = false; // something changed that the blog may not have
    this.isInBrowser = true;
    this.isLeaving = false;
    this.notice = "";
    this.wait = 0;
  }

  listen() {
    this.desk.onChange(() => this.changed());
    this.form.addEventListener("focusout", (event) => {
      if (!this.form.contains(event.relatedTarget)) this.send();
    });
    this.form.addEventListener("submit", (event) => this.submitted(event));
    for (const form of document.querySelectorAll("form[data-discard]")) {
      form.addEventListener("submit", (event) => this.submitted(event));
    }
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible") return this.tryAgain();
      this.keepHere();
      return this.send();
    });
    addEventListener("pagehide", () => this.hurry());
    addEventListener("pageshow", () => (this.isLeaving = false));
    addEventListener("online", () => this.tryAgain());
    addEventListener("focus", () => this.tryAgain());
    addEventListener("beforeunload", (event) => {
      this.hurry();
      if (this.isTyped && !this.isInBrowser && !this.isLeaving) event.preventDefault();
    });
    // The browser may have put back what was in the form before the page was loaded again.
    if (JSON.stringify(this.desk.values()) !== this.known) this.changed();
  }

  changed() {
    const now = Date.now();
    this.isTyped = true;
    this.isInBrowser = false;
    this.since ??= now;
    this.local ??= setTimeout(() => this.keepHere(), LOCAL_PAUSE);
    if (!this.wait) this.later(Math.min(PAUSE, this.since + LONGEST - now));
  }

  later(delay) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.send(), delay);
  }

  // In this browser, at once.
  keepHere() {
    clearTimeout(this.local);
    this.local = undefined;
    if (!this.isTyped || this.isInBrowser) return;
    this.isInBrowser = this.copy.write({
      post: this.post,
      key: this.form.elements.idempotency_key?.value ?? "",
      base: this.base(),
      at: Date.now(),
      values: this.desk.values(),
    });
  }

  // At the blog: one at a time, so that no text overtakes a newer one. Whether it has everything.
  send() {
    this.sending ??= this.sendOnce().finally(() => (this.sending = undefined));
    return this.sending;
  }

  async sendOnce(isLeaving = false) {
    clearTimeout(this.timer);
    const values = this.desk.values();
    const text = JSON.stringify(values);
    const isEmpty = !this.post && !values.title.trim() && !values.content.trim();
    if (!this.isTyped || isEmpty) return true;
    this.since = undefined;
    if (text === this.known) {
      this.wait = 0;
      this.say("");
      return this.arrived(text);
    }
    const slow = setTimeout(() => this.wait || this.say(said("saving"), "busy"), A_WHILE);
    const answer = await autosave(this.address(), this.about(values), isLeaving);
    clearTimeout(slow);
    if (answer.is !== "kept") return this.failed(answer);
    this.wait = 0;
    this.seen = answer.told.saved_at;
    this.notice = answer.told.notice || this.notice;
    this.becomes(answer.told.id);
    this.sayWhen();
    return this.arrived(text);
  }

  address() {
    return this.post ? `/posts/${this.post}/autosave` : "/posts/new/autosave";
  }

  about(values) {
    const { tab, seen, account } = this;
    const key = this.post ? {} : { idempotency_key: this.form.elements.idempotency_key.value };
    return { ...values, ...key, tab, seen, account, base_version: this.base() };
  }

  // The version of the post that this text began with.
  base() {
    return Number(this.form.elements.version?.value) || 1;
  }

  // Whoever loads the page again finds the draft, not an empty form.
  becomes(post) {
    if (this.post) return;
    this.post = post;
    history.replaceState(history.state, "", `/posts/${post}/edit`);
  }

  arrived(text) {
    this.known = text;
    this.isTyped = JSON.stringify(this.desk.values()) !== text;
    if (this.isTyped) {
      this.changed(); // keys went on meanwhile
    } else {
      clearTimeout(this.local);
      this.local = undefined;
      this.since = undefined;
      this.copy.remove();
    }
    return !this.isTyped;
  }

  failed({ is, sentence, after }) {
    this.keepHere();
    const kept = said(this.isInBrowser ? "keptHere" : "keepOpen");
    if (is === "refused") {
      this.say(said("refused", { sentence, kept }), "wrong");
      return false;
    }
    this.wait = Math.min(Math.max(this.wait * 2, PAUSE, after || 0), LONGEST_WAIT);
    this.later(this.wait);
    if (is === "out") this.sayLoggedOut(kept);
    else this.say(said(navigator.onLine ? "noAnswer" : "offline", { kept }), "offline");
    return false;
  }

  sayLoggedOut(kept) {
    if (!this.say(`${said("loggedOut", { kept })} `, "offline")) return;
    const link = document.createElement("a");
    Object.assign(link, { href: "/auth/login?next=/drafts", target: "_blank", textContent: said("logInAgain") });
    this.desk.status?.append(link);
  }

  sayWhen() {
    const time = new Date().toLocaleTimeString(LOCALE, { hour: "2-digit", minute: "2-digit" });
    const say = (sentence) => this.say([sentence, this.notice].filter(Boolean).join(". "));
    say(said("savedNow"));
    clearTimeout(this.moment);
    this.moment = setTimeout(() => !this.isTyped && say(said("savedAt", { time })), A_MOMENT);
  }

  // There may be no later, so this waits for nothing, not even for what is on its way.
  hurry() {
    this.keepHere();
    if (!this.isLeaving) this.sendOnce(true);
  }

  // Only what is new: it is read out to those who listen. Whether it was.
  say(sentence, state) {
    if (sentence === this.said) return false;
    this.said = sentence;
    this.desk.say(sentence, state);
    return true;
  }

  tryAgain() {
    if (this.isTyped) this.send();
  }

  // The blog has the text before the form is sent, so that no autosave comes after it, and so that
  // the text is there whatever becomes of the form.
  async submitted(event) {
    const { target, submitter } = event;
    if (!this.isTyped && !this.sending) this.leave();
    if (this.isLeaving) return;
    event.preventDefault();
    if (this.isSubmitting) return; // a double click
    this.isSubmitting = true;
    this.keepHere();
    const patience = new Promise((done) => setTimeout(done, PATIENCE));
    await Promise.race([this.sendAll(), patience]);
    this.isSubmitting = false;
    this.leave();
    target.requestSubmit(submitter);
  }

  async sendAll() {
    await this.sending;
    return this.send();
  }

  // The form says which editor it comes from.
  leave() {
    this.isLeaving = true;
    this.form.elements.tab.value = this.tab;
    this.form.elements.seen.value = this.seen;
  }
}

// The values that the page came with.
function written(form, values) {
  const pairs = Object.keys(values).map((name) => {
    const field = form.elements[name];
    const chosen = field.options && [...field.options].find((option) => option.defaultSelected);
    return [name, (field.options ? (chosen ?? field.options[0])?.value : field.defaultValue) ?? values[name]];
  });
  return Object.fromEntries(pairs);
}
