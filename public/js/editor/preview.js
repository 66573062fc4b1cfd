// The page beside the text: on a wide screen always, on a narrow one instead of the text.

import { NoPreview, Renderer } from "./renderer.js";
import { keepInStep } from "./scrolling.js";
import { said } from "./words.js";

const WIDE = matchMedia("(width >= 60rem)");
const PAUSE_AFTER_FAULT = 3_000;

export function startPreview(desk) {
  const pane = desk.form.querySelector("[data-preview]");
  const look = desk.form.querySelector("[data-look]");
  if (!pane || !look) return;
  const preview = new Preview(desk, pane);
  const choose = (isLooking) => {
    desk.form.classList.toggle("looking", isLooking);
    look.textContent = said(isLooking ? "write" : "preview");
    preview.update();
  };
  look.type = "button";
  look.addEventListener("click", () => {
    choose(!desk.form.classList.contains("looking"));
    if (!preview.isSeen) desk.text.focus();
  });
  pane.querySelector(".to-text")?.remove();
  pane.hidden = false;
  desk.form.classList.add("live");
  desk.onChange(() => preview.update());
  WIDE.addEventListener("change", () => choose(false));
  document.addEventListener("visibilitychange", () => (document.hidden ? preview.renderer.close() : preview.update()));
  pane.addEventListener("click", openElsewhere);
  preview.update();
}

class Preview {
  constructor(desk, pane) {
    this.desk = desk;
    this.pane = pane;
    this.prose = pane.querySelector(".prose");
    this.renderer = new Renderer();
    this.shown = null; // the text that one sees
    this.isBusy = false;
    this.step = keepInStep(desk.text, pane, this.prose);
  }

  get isSeen() {
    return this.pane.offsetParent !== null && !document.hidden;
  }

  // Show the text as it is now; whatever is typed meanwhile is shown next, the newest only.
  async update() {
    if (this.isBusy) return;
    this.isBusy = true;
    let pause = 0;
    while (this.isSeen && this.desk.text.value !== this.shown) {
      pause = await this.showNewest();
      await new Promise((done) => setTimeout(done, pause));
    }
    this.isBusy = false;
  }

  // How long to wait before the next one.
  async showNewest() {
    const text = this.desk.text.value;
    try {
      replaceChanged(this.prose, await this.renderer.render(text));
      this.shown = text;
      this.note("");
      this.step();
      return this.renderer.rest;
    } catch (error) {
      this.note(error instanceof NoPreview ? error.message : said("noPreview"));
      return PAUSE_AFTER_FAULT;
    }
  }

  note(sentence) {
    const note = this.pane.querySelector("[data-note]");
    note.textContent = sentence;
    note.hidden = !sentence;
  }
}

// What stayed the same stays in the page: images do not flicker, what is unfolded stays so.
// This is HTML that our server has rendered and sanitised.
function replaceChanged(prose, html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  const [old, fresh] = [[...prose.childNodes], [...template.content.childNodes]];
  const most = Math.min(old.length, fresh.length);
  let first = 0;
  while (first < most && old[first].isEqualNode(fresh[first])) first += 1;
  let last = 0;
  while (last < most - first && old.at(-1 - last).isEqualNode(fresh.at(-1 - last))) last += 1;
  const after = old[old.length - last] ?? null;
  old.slice(first, old.length - last).forEach((node) => node.remove());
  fresh.slice(first, fresh.length - last).forEach((node) => prose.insertBefore(node, after));
}

// A link in the preview must not take the text away.
function openElsewhere(event) {
  const link = event.target.closest("a[href]");
  if (!link || link.getAttribute("href").startsWith("#")) return;
  event.preventDefault();
  open(link.href, "_blank", "noopener");
}
