// Images that are pasted, dropped or chosen: a word stands for each until it has arrived.

import { send } from "./sending.js";
import { Row } from "./upload_row.js";
import { said } from "./words.js";

const KINDS = ["image/jpeg", "image/png", "image/webp", "image/gif", "image/avif"];
const MOST_BYTES = 20 * 1024 * 1024;
const AT_ONCE = 2;
const WRONG_KIND = said("wrongKind");
const TOO_LARGE = said("tooLarge");

export function startUploads(desk) {
  const uploads = new Uploads(desk);
  const { form, text } = desk;
  const chooser = chooserFor((files) => uploads.add(files));
  form.addEventListener("inkstand:choose-image", () => chooser.click());
  text.addEventListener("paste", (event) => {
    const data = event.clipboardData;
    // Tables and words are copied with a picture of themselves; it is the words that are meant.
    if (!data?.files.length || data.types.includes("text/plain")) return;
    event.preventDefault();
    uploads.add([...data.files]);
  });
  text.addEventListener("dragover", (event) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    text.classList.add("is-over-text");
  });
  for (const over of ["dragleave", "dragend", "drop"]) {
    text.addEventListener(over, () => text.classList.remove("is-over-text"));
  }
  text.addEventListener("drop", (event) => {
    if (!event.dataTransfer?.files.length) return; // words that are moved within the text
    event.preventDefault();
    const place = document.caretPositionFromPoint?.(event.clientX, event.clientY);
    const at = place?.offsetNode === text ? place.offset : text.selectionEnd;
    uploads.add([...event.dataTransfer.files], at, at);
  });
  // Before others hear of it, so that nothing is published with a gap in it.
  form.addEventListener("submit", (event) => uploads.holdBack(event), true);
  window.addEventListener("online", () => uploads.tryAgain());
}

function chooserFor(chosen) {
  const chooser = document.createElement("input");
  Object.assign(chooser, { type: "file", multiple: true, accept: KINDS.join() });
  chooser.addEventListener("change", () => {
    chosen([...chooser.files]);
    chooser.value = ""; // the same file may be chosen again
  });
  return chooser;
}

class Uploads {
  constructor(desk) {
    this.desk = desk;
    this.all = [];
    this.count = 0;
    this.list = document.createElement("ul");
    this.list.className = "uploads";
    this.list.setAttribute("aria-label", said("imagesAdded"));
    this.list.hidden = true;
    this.list.addEventListener("input", (event) => event.stopPropagation()); // no text of the post
    desk.text.closest(".field").after(this.list);
  }

  add(files, start = this.desk.text.selectionStart, end = this.desk.text.selectionEnd) {
    const added = files.map((file) => this.upload(file));
    if (!added.length) return;
    const words = added.map((upload) => upload.placeholder).join("\n\n");
    const { value } = this.desk.text;
    this.desk.replace(start, end, gap(value.slice(0, start)) + words + gapAfter(value.slice(end)));
    const values = { name: added[0].name, count: added.length };
    this.desk.say(said(added.length === 1 ? "uploadingOne" : "uploadingMany", values), "busy");
    this.sendNext();
  }

  upload(file) {
    this.count += 1;
    const name = (file.name || said("image")).replace(/[[\]\\\s]+/g, " ").trim().slice(0, 80);
    const again = this.all.some((other) => other.name === name) ? ` (${this.count})` : "";
    const placeholder = `![${said("onItsWay", { name: name + again })}]()`;
    const upload = { file, name, placeholder, state: "waiting" };
    upload.row = new Row(name, {
      cancel: () => this.remove(upload),
      again: () => this.again(upload),
      describe: (alt) => this.describe(upload, alt),
      done: () => this.forget(upload),
    });
    this.all.push(upload);
    this.list.append(upload.row.item);
    this.list.hidden = false;
    return upload;
  }

  sendNext() {
    const busy = this.all.filter((upload) => upload.state === "sending").length;
    const next = this.all.filter((upload) => upload.state === "waiting").slice(0, AT_ONCE - busy);
    for (const upload of next) this.send(upload);
  }

  async send(upload) {
    upload.state = "sending";
    upload.stop = new AbortController();
    try {
      if (!KINDS.includes(upload.file.type)) throw new Error(WRONG_KIND);
      if (upload.file.size > MOST_BYTES) throw new Error(TOO_LARGE);
      upload.image = await send(upload.file, upload.stop.signal, (part) => upload.row.progress(part));
      this.arrived(upload);
    } catch (error) {
      if (upload.state === "sending") this.failed(upload, error);
    }
    this.sendNext();
  }

  arrived(upload) {
    upload.state = "here";
    const stands = swap(this.desk, upload.placeholder, upload.image.markdown);
    this.desk.say(said(stands ? "inText" : "inLibrary", upload));
    if (upload.image.alt) this.forget(upload);
    else upload.row.ask();
  }

  failed(upload, error) {
    upload.state = "failed";
    upload.row.fail(error, { mayTryAgain: ![WRONG_KIND, TOO_LARGE].includes(error.message) });
    this.desk.say(said("notUploaded", upload), "wrong");
  }

  again(upload) {
    if (upload.state !== "failed") return;
    upload.state = "waiting";
    upload.row.progress(0);
    this.sendNext();
  }

  tryAgain() {
    for (const upload of this.all) if (upload.row.isOffline) this.again(upload);
  }

  // Take it out of the text too.
  remove(upload) {
    upload.state = "gone";
    upload.stop?.abort();
    const { value } = this.desk.text;
    const at = value.indexOf(upload.placeholder);
    if (at >= 0) {
      const blank = value.slice(at + upload.placeholder.length).match(/^\n{0,2}/)[0];
      swap(this.desk, upload.placeholder + blank, "");
    }
    this.forget(upload);
    this.desk.text.focus();
    this.desk.say(said("takenOut", upload));
    this.sendNext();
  }

  forget(upload) {
    this.all = this.all.filter((other) => other !== upload);
    upload.row.item.remove();
    this.list.hidden = !this.all.length;
  }

  // In the library, and where it stands in the text.
  async describe(upload, alt) {
    const { id, url } = upload.image;
    const response = await fetch(`/api/v1/media/${id}`, {
      method: "PATCH",
      headers: { "Content-Type": "application/json", Accept: "application/json" },
      body: JSON.stringify({ alt }),
    });
    if (!response.ok) throw new Error();
    const before = this.desk.text.value.match(standing(url))?.[0];
    const { markdown } = await response.json();
    if (before) swap(this.desk, before, markdown.slice(0, markdown.indexOf(`](${url}`)) + `](${url}`);
    this.desk.say(said("described", upload));
  }

  holdBack(event) {
    const open = this.all.find((upload) => upload.state !== "here");
    if (!open) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    open.row.item.scrollIntoView({ block: "nearest" });
    this.desk.say(said(open.state === "failed" ? "stillFailed" : "stillOnItsWay", open), "wrong");
  }
}

// An image stands in a paragraph of its own.
function gap(before) {
  if (!before || before.endsWith("\n\n")) return "";
  return before.endsWith("\n") ? "\n" : "\n\n";
}

function gapAfter(after) {
  if (!after || after.startsWith("\n\n")) return "";
  return after.startsWith("\n") ? "\n" : "\n\n";
}

// `![…](url`, whatever it says of the image.
function standing(url) {
  return new RegExp(`!\\[(?:\\\\.|[^\\[\\]\\\\])*\\]\\(${url.replace(/[.]/g, "\\.")}`);
}

// Put `fresh` in place of `old`. Whoever is typing, there or elsewhere, goes on where they were.
function swap(desk, old, fresh) {
  const { text } = desk;
  const at = text.value.indexOf(old);
  if (at < 0) return false;
  const { selectionStart, selectionEnd, scrollTop } = text;
  const active = document.activeElement;
  const moved = (place) => {
    if (place <= at) return place;
    return place >= at + old.length ? place + fresh.length - old.length : at + fresh.length;
  };
  desk.replace(at, at + old.length, fresh, [moved(selectionStart), moved(selectionEnd)]);
  text.scrollTop = scrollTop;
  if (active && active !== text) active.focus({ preventScroll: true });
  return true;
}
