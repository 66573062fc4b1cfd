// Keys that save and publish; and whoever saves comes back to where they were.

import { isPressed, keyName, nativeKeys } from "./keys.js";

const PLACE = "inkstand:place";

export function startSaving(desk) {
  const save = desk.form.querySelector("[data-save]");
  const publish = desk.form.querySelector("[data-publish]");
  if (!save) return;
  nativeKeys(save, "Control+S");
  nativeKeys(publish, "Control+Enter");
  for (const button of [save, publish]) button.title = keyName(button.ariaKeyShortcuts);
  let isSent = false;
  desk.form.addEventListener("submit", (event) => {
    isSent = !event.defaultPrevented;
  });
  addEventListener("pageshow", () => {
    isSent = false;
  });
  desk.form.addEventListener("keydown", (event) => {
    if (event.target.name === "title" && event.key === "Enter" && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      desk.text.focus();
    } else if (isPressed(save.ariaKeyShortcuts, event)) {
      event.preventDefault();
      if (event.repeat || isSent) return;
      remember(desk);
      desk.form.requestSubmit(save);
    } else if (isPressed(publish.ariaKeyShortcuts, event)) {
      // Not published by a slip of the hand: the button has the focus now, and Enter presses it.
      event.preventDefault();
      publish.focus();
    }
  });
  comeBack(desk);
}

function remember(desk) {
  const { value, start, end } = desk.selection();
  const isHere = document.activeElement === desk.text;
  if (isHere) sessionStorage.setItem(PLACE, JSON.stringify([value.length, start, end, desk.text.scrollTop, scrollY]));
}

function comeBack(desk) {
  const [length, start, end, inside, outside] = JSON.parse(sessionStorage.getItem(PLACE) ?? "[]");
  sessionStorage.removeItem(PLACE);
  if (length !== desk.text.value.length) return;
  desk.text.focus({ preventScroll: true });
  desk.text.setSelectionRange(start, end);
  desk.text.scrollTop = inside;
  scrollTo(0, outside);
}
