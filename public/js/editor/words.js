// What the editor says, in the language of the blog: the form brings it along, from
// services/editor_words.py.

const WORDS = JSON.parse(document.querySelector("form[data-editor]")?.dataset.words ?? "{}");
const { lang } = document.documentElement;

// How numbers and times are written here; the English of the blog is British.
export const LOCALE = lang === "en" ? "en-GB" : lang;

// A sentence by its name, with values in its places, such as `%(name)s`.
export function said(name, values = {}) {
  return (WORDS[name] ?? name).replace(/%\((\w+)\)s/g, (place, key) => values[key] ?? place);
}
