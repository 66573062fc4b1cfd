// A footnote opens where it is called, instead of at the foot of the page; the link to it stays, for
// whoever opens it in another tab or has no script.

const prose = document.querySelector(".post .prose");
const note = document.createElement("aside");
note.className = "note-in-place";
note.popover = "auto";
note.tabIndex = -1;
note.dir = "auto";
let caller;

if ("showPopover" in note) {
  prose.after(note);
  prose.addEventListener("click", open);
  note.addEventListener("toggle", (event) => event.newState === "closed" && closed());
}

function open(event) {
  const link = event.target.closest(".footnote-ref > a");
  const text = link && document.getElementById(decodeURIComponent(link.hash.slice(1)));
  if (!text || link.closest(".footnotes") || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const again = caller === link;
  if (note.matches(":popover-open")) note.hidePopover();
  if (again) return;
  fill(link, text);
  caller = link;
  link.style.anchorName = "--note-caller";
  link.setAttribute("aria-expanded", "true");
  note.showPopover();
  note.focus({ preventScroll: true });
}

function fill(link, text) {
  note.replaceChildren(...[...text.cloneNode(true).childNodes]);
  note.setAttribute("aria-label", link.textContent);
  for (const each of note.querySelectorAll(".footnote-backref")) each.remove();
  for (const each of note.querySelectorAll("[id]")) each.removeAttribute("id");
}

function closed() {
  if (!caller) return;
  caller.style.anchorName = "";
  caller.removeAttribute("aria-expanded");
  if (document.activeElement === document.body || note.contains(document.activeElement)) {
    caller.focus({ preventScroll: true });
  }
  caller = undefined;
}
