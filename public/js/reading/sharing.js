// Copies the address of a post, or hands it to what else the device can share with.

import { copied } from "./clipboard.js";

const share = document.querySelector(".share");
const { title, url } = share.dataset;

const copy = share.querySelector("[data-copies-link]");
copy.closest("li").hidden = false;
copy.addEventListener("click", () => copied(url, copy, copy.dataset.done));

if (navigator.share) {
  const other = share.querySelector("[data-shares]");
  other.closest("li").hidden = false;
  other.addEventListener("click", () => navigator.share({ title, url }).catch(() => {}));
}
