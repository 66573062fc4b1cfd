// Buttons and keys for Markdown.

import { ADDRESS, TOOLS } from "./markdown.js";
import { isPressed, keyName, nativeKeys } from "./keys.js";

export function startToolbar(desk) {
  const bar = desk.form.querySelector("[data-toolbar]");
  if (!bar) return;
  const buttons = [...bar.querySelectorAll("button")];
  const more = bar.querySelector('[data-tool="more"]');
  bar.hidden = false;
  for (const button of buttons) {
    button.addEventListener("click", () => TOOLS[button.dataset.tool]?.(desk));
    nativeKeys(button);
  }
  // A press of the mouse must not take the focus, nor close a phone's keyboard.
  bar.addEventListener("mousedown", (event) => event.preventDefault());
  more.addEventListener("click", () => unfold(more, buttons));
  oneTabStop(bar, buttons);
  tips(bar);
  desk.text.addEventListener("keydown", (event) => {
    const button = buttons.find((each) => isPressed(each.ariaKeyShortcuts, event));
    if (!button) return;
    event.preventDefault();
    button.click();
  });
  desk.text.addEventListener("paste", (event) => pasteAddress(desk, event));
}

function unfold(more, buttons) {
  const rare = document.getElementById(more.getAttribute("aria-controls"));
  rare.hidden = !rare.hidden;
  more.ariaExpanded = String(!rare.hidden);
  const first = rare.hidden ? more : buttons.find((button) => rare.contains(button));
  if (document.activeElement === more) first.focus();
}

// One stop for Tab; the arrows go on from there (WAI-ARIA practices, toolbar).
function oneTabStop(bar, buttons) {
  const shown = () => buttons.filter((button) => button.offsetParent);
  const stopAt = (stop) => buttons.forEach((button) => (button.tabIndex = button === stop ? 0 : -1));
  stopAt(buttons[0]);
  bar.addEventListener("focusin", (event) => stopAt(event.target));
  bar.addEventListener("keydown", (event) => {
    const all = shown();
    const at = all.indexOf(document.activeElement);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: -1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    all.at(to % all.length).focus();
  });
}

// What a button is called, and its keys, in a place of its own: nothing is covered.
function tips(bar) {
  const tip = bar.querySelector("[data-tip]");
  const tell = (event) => {
    const button = event.target.closest("button");
    const keys = button?.ariaKeyShortcuts;
    tip.textContent = button ? [button.ariaLabel, keys && keyName(keys)].filter(Boolean).join("  ") : "";
  };
  for (const kind of ["mouseover", "focusin"]) bar.addEventListener(kind, tell);
  for (const kind of ["mouseleave", "focusout"]) bar.addEventListener(kind, () => (tip.textContent = ""));
}

// An address that is pasted over words makes them a link.
function pasteAddress(desk, event) {
  const { value, start, end } = desk.selection();
  const words = value.slice(start, end);
  const address = event.clipboardData?.getData("text/plain").trim() ?? "";
  if (!words.trim() || /[\n[\]]/.test(words) || ADDRESS.test(words) || !ADDRESS.test(address)) return;
  event.preventDefault();
  desk.replace(start, end, `[${words}](${address.replace(/[()]/g, (sign) => `%${sign.charCodeAt().toString(16)}`)})`);
}
