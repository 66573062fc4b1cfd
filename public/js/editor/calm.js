// Nothing but the text, over the whole screen. Escape leaves.

import { said } from "./words.js";

export function startCalm(desk) {
  const button = desk.form.querySelector('[data-tool="calm"]');
  if (!button) return;
  const root = document.documentElement;
  const set = (isCalm) => {
    root.classList.toggle("calm", isCalm);
    button.ariaPressed = String(isCalm);
    button.ariaLabel = said(isCalm ? "leaveFullScreen" : "fullScreen");
  };
  const leave = () => {
    set(false);
    if (document.fullscreenElement) document.exitFullscreen().catch(() => {});
  };
  set(false);
  button.addEventListener("click", () => {
    if (root.classList.contains("calm")) return leave();
    set(true);
    desk.text.focus();
    // Where the whole screen is not given, the whole window is enough.
    return root.requestFullscreen?.().catch(() => {});
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !event.isComposing && root.classList.contains("calm")) leave();
  });
  document.addEventListener("fullscreenchange", () => {
    if (!document.fullscreenElement) set(false);
  });
}
