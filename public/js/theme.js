// Light, dark, or as the device says. A small script that comes before the page is painted, so that
// nothing flashes; without it the device decides, and the switch is not shown.

(() => {
  const KEY = "inkstand:theme";
  const PAPER = { light: "#fdfcf9", dark: "#121417" };
  const root = document.documentElement;

  function chosen() {
    try {
      const theme = localStorage.getItem(KEY);
      return Object.hasOwn(PAPER, theme) ? theme : "";
    } catch {
      return ""; // storage is switched off: the choice lasts until the next page
    }
  }

  function keep(theme) {
    try {
      if (theme) localStorage.setItem(KEY, theme);
      else localStorage.removeItem(KEY);
    } catch {
      // As above.
    }
  }

  function show(theme) {
    root.dataset.theme = theme;
    for (const meta of document.querySelectorAll('meta[name="theme-color"]')) {
      meta.content = PAPER[theme] ?? PAPER[meta.media.includes("dark") ? "dark" : "light"];
    }
    for (const choice of document.querySelectorAll('input[name="theme"]')) {
      choice.checked = choice.value === theme;
    }
  }

  show(chosen());
  addEventListener("DOMContentLoaded", () => show(chosen()));
  addEventListener("storage", (event) => event.key === KEY && show(chosen()));
  addEventListener("change", (event) => {
    if (event.target.name !== "theme") return;
    keep(event.target.value);
    show(event.target.value);
  });
})();
