// The form of a post, as the parts of the editor see it.

export class Desk {
  constructor(form) {
    this.form = form;
    this.text = form.elements.content;
    this.status = document.querySelector("[data-status]");
  }

  // Everything an author typed, by the names of the fields.
  values() {
    const names = ["title", "content", "tags", "slug", "series", "kind"];
    const fields = names.filter((name) => this.form.elements[name]);
    return Object.fromEntries(fields.map((name) => [name, this.form.elements[name].value]));
  }

  // Run `heard` whenever anything is typed, and when a part of the editor changes the text.
  onChange(heard) {
    this.form.addEventListener("input", heard);
  }

  // What is selected: the whole text, and the two offsets.
  selection() {
    const { value, selectionStart, selectionEnd } = this.text;
    return { value, start: selectionStart, end: selectionEnd };
  }

  // The whole lines that the selection touches: their offsets and themselves.
  lines() {
    const { value, start, end } = this.selection();
    const from = value.lastIndexOf("\n", start - 1) + 1;
    // A selection that ends at the beginning of a line does not mean that line.
    const last = end > start && value[end - 1] === "\n" ? end - 1 : end;
    const next = value.indexOf("\n", last);
    const to = next < 0 ? value.length : next;
    return { from, to, lines: value.slice(from, to).split("\n") };
  }

  // Put `text` in place of what stands between two offsets, in a way that "undo" undoes.
  replace(start, end, text, select = [start + text.length, start + text.length]) {
    this.text.focus();
    this.text.setSelectionRange(start, end);
    if (start !== end || text) {
      const done = text ? document.execCommand("insertText", false, text) : document.execCommand("delete");
      if (!done) {
        this.text.setRangeText(text, start, end, "end");
        this.text.dispatchEvent(new InputEvent("input", { bubbles: true }));
      }
    }
    this.text.setSelectionRange(...select);
  }

  // A sentence for everybody, also for those who listen. `state` is saved, busy, offline or wrong.
  say(sentence, state = "saved") {
    if (!this.status) return;
    this.status.textContent = sentence;
    this.status.dataset.state = state;
  }
}
