// How many words there are, and how long it takes to read them.

import { LOCALE, said } from "./words.js";

const WORDS_A_MINUTE = 230; // as on the page of a post
const MOST_SEGMENTED = 100_000; // characters; the segmenter takes a while for more
const PAUSE = 300;

export function startCounts(desk) {
  const place = document.querySelector("[data-counts]");
  if (!place) return;
  const segmenter = Intl.Segmenter && new Intl.Segmenter(undefined, { granularity: "word" });
  let waiting;
  const tell = () => {
    const count = words(prose(desk.text.value), segmenter);
    const minutes = Math.max(Math.floor(count / WORDS_A_MINUTE), 1);
    const values = { count: count.toLocaleString(LOCALE), minutes };
    place.textContent = count ? said(count === 1 ? "oneWord" : "manyWords", values) : "";
  };
  desk.onChange(() => {
    clearTimeout(waiting);
    waiting = setTimeout(tell, PAUSE);
  });
  tell();
}

// Without listings, addresses and markup.
function prose(text) {
  return text
    .replace(/^(`{3,}|~{3,})[^\n]*\n[^]*?(?:^\1[^\n]*$|$(?![^]))/gm, " ")
    .replace(/\]\([^)\s]*\)|https?:\/\/\S+|<[^>\n]*>|\[\^[^\]\n]*\]:?/g, " ");
}

function words(text, segmenter) {
  if (!segmenter || text.length > MOST_SEGMENTED) return (text.match(/[\p{L}\p{N}]+(?:['’-][\p{L}\p{N}]+)*/gu) ?? []).length;
  let count = 0;
  for (const { isWordLike } of segmenter.segment(text)) if (isWordLike) count += 1;
  return count;
}
