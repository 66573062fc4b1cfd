// What an author sees of an image that is added: how far it is, what is wrong, what to say of it.

import { said } from "./words.js";

let count = 0;

export class Row {
  constructor(name, { cancel, again, describe, done }) {
    this.name = name;
    this.acts = { cancel, again, describe, done };
    this.item = document.createElement("li");
    this.progress(0);
  }

  progress(part) {
    if (!this.bar) {
      this.bar = make("progress", { max: 1 });
      this.bar.setAttribute("aria-label", said("onItsWay", this));
      this.isOffline = false;
      this.show(this.line(this.bar, this.button(said("cancel"), this.acts.cancel)));
    }
    // Once all of it has gone the blog has work to do, nobody knows how long.
    if (part < 1) this.bar.value = part;
    else this.bar.removeAttribute("value");
  }

  fail(error, { mayTryAgain }) {
    this.isOffline = error.kind === "offline";
    const sentence = make("p", { className: "error", textContent: error.message });
    sentence.setAttribute("role", "alert");
    if (error.kind === "logged out") {
      const link = make("a", { href: "/auth/login?next=/drafts", target: "_blank", textContent: said("logInElsewhere") });
      sentence.append(" ", link, said("thenTryAgain"));
    }
    const buttons = [this.button(said("takeOut"), this.acts.cancel)];
    if (mayTryAgain) buttons.unshift(this.button(said("tryAgain"), this.acts.again));
    this.show(this.line(...buttons), sentence);
  }

  // Nobody has to: an image that only decorates needs no words.
  ask() {
    const id = `describe-${(count += 1)}`;
    const input = make("input", { id, type: "text", maxLength: 500, autocomplete: "off", enterKeyHint: "done" });
    input.setAttribute("form", ""); // Enter must not send the post
    const label = make("label", { htmlFor: id, textContent: said("describe", this) });
    const hint = make("p", { id: `${id}-hint`, className: "hint", textContent: said("describeHint") });
    input.setAttribute("aria-describedby", hint.id);
    const field = make("div", { className: "field" });
    field.append(label, input, hint);
    const save = () => this.save(input);
    input.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.isComposing) return;
      event.preventDefault();
      save();
    });
    const line = make("div", { className: "describe" });
    line.append(field, this.button(said("save"), save), this.button(said("skip"), () => this.leave()));
    this.show(line);
  }

  async save(input) {
    const alt = input.value.trim();
    if (!alt) return this.leave();
    input.readOnly = true;
    try {
      await this.acts.describe(alt);
      this.leave();
    } catch {
      input.readOnly = false;
      const sentence = make("p", { className: "error", textContent: said("notDescribed") });
      sentence.setAttribute("role", "alert");
      this.item.querySelector(".error")?.remove();
      this.item.append(sentence);
    }
  }

  // To the next image that waits for words, or back to the text.
  leave() {
    const next = this.item.nextElementSibling?.querySelector(".describe input");
    const text = this.item.closest("form")?.elements.content;
    const hadFocus = this.item.contains(document.activeElement);
    this.acts.done();
    if (hadFocus) (next || text)?.focus();
  }

  line(...things) {
    const line = make("div", { className: "file" });
    line.append(make("span", { textContent: this.name }), ...things);
    return line;
  }

  show(...things) {
    if (!things[0].contains(this.bar)) this.bar = null;
    this.item.replaceChildren(...things);
  }

  button(word, act) {
    const button = make("button", { type: "button", className: "button quiet", textContent: word });
    button.setAttribute("aria-label", `${word}: ${this.name}`);
    button.addEventListener("click", act);
    return button;
  }
}

function make(kind, properties) {
  return Object.assign(document.createElement(kind), properties);
}
