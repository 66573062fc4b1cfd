// An image opens large above the page; the link to it stays, for whoever has no script.

const links = [...document.querySelectorAll(".post .prose a.large")];
const article = document.querySelector(".post");
const dialog = document.createElement("dialog");
dialog.className = "lightbox";
const image = document.createElement("img");
const caption = document.createElement("p");
const close = document.createElement("button");
close.type = "button";
close.className = "close";
close.setAttribute("aria-label", article.dataset.close);
close.textContent = "×";
dialog.append(image, caption, close);
article.append(dialog);
let shown = -1;

for (const [number, link] of links.entries()) {
  link.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    show(number);
    dialog.showModal();
  });
}

dialog.addEventListener("click", (event) => {
  if (event.target !== caption) dialog.close();
});
dialog.addEventListener("close", () => {
  image.removeAttribute("src");
  links[shown]?.focus();
});
dialog.addEventListener("keydown", (event) => {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (step && links[shown + step]) show(shown + step);
});

function show(number) {
  const small = links[number].querySelector("img");
  shown = number;
  for (const name of ["width", "height", "alt"]) image.setAttribute(name, small.getAttribute(name) ?? "");
  image.src = links[number].href;
  caption.textContent = links[number].closest("figure")?.querySelector("figcaption")?.textContent ?? "";
  dialog.setAttribute("aria-label", small.alt || caption.textContent || article.dataset.image);
}
