// A button on each listing that copies it.

import { copied } from "./clipboard.js";

const article = document.querySelector(".post");

for (const pre of article?.querySelectorAll(".prose pre") ?? []) {
  const frame = document.createElement("div");
  frame.className = "with-copy";
  pre.replaceWith(frame);
  const button = document.createElement("button");
  button.type = "button";
  button.className = "copy-code";
  button.textContent = article.dataset.copy;
  button.addEventListener("click", () => copied(pre.textContent.replace(/\n$/, ""), button, article.dataset.copied));
  frame.append(pre, button);
}
