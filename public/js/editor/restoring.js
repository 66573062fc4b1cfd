// A text that stayed in this browser, because it could not get to the blog, goes back into the form.

import { drop, leftBehind } from "./local_copies.js";
import { LOCALE, said } from "./words.js";

export async function restore(keeping) {
  const left = await leftBehind(keeping.account);
  for (const { key, copy } of left) {
    if (!belongs(copy, keeping)) continue;
    if (JSON.stringify({ ...JSON.parse(keeping.known), ...copy.values }) === keeping.known) {
      drop(key); // the blog has it after all
    } else if (!keeping.isTyped) {
      putInto(keeping, copy);
      if (keeping.isInBrowser) drop(key);
      offerTheSaved(keeping, copy);
    }
  }
}

// To this post; or to no post yet, if nothing stands in the form of a new one.
function belongs(copy, { post, form, known }) {
  if (post || copy.post) return copy.post === post;
  const { title, content } = JSON.parse(known);
  return copy.key === form.elements.idempotency_key.value || !(title || content);
}

// Under the version that it began with, so that what was saved since is not overwritten. What the
// blog shows instead is not what this text goes on from.
function putInto(keeping, copy) {
  const { elements } = keeping.form;
  for (const [name, value] of Object.entries(copy.values)) if (elements[name]) elements[name].value = value;
  if (elements.version) elements.version.value = Math.min(copy.base, keeping.base());
  if (elements.idempotency_key && copy.key) elements.idempotency_key.value = copy.key;
  keeping.seen = "";
  keeping.desk.text.dispatchEvent(new InputEvent("input", { bubbles: true }));
  keeping.keepHere();
  keeping.send();
}

function offerTheSaved(keeping, copy) {
  const when = new Date(copy.at).toLocaleString(LOCALE, { dateStyle: "long", timeStyle: "short" });
  const [what, otherwise] = keeping.post
    ? ["typedHere", "useSaved"]
    : ["begunHere", "beginAnother"];
  const notice = document.createElement("section");
  const sentence = document.createElement("p");
  const button = document.createElement("button");
  notice.className = "unsaved";
  notice.role = "status";
  sentence.textContent = said(what, { when });
  Object.assign(button, { type: "button", className: "button quiet", textContent: said(otherwise) });
  button.addEventListener("click", () => goBack(keeping));
  notice.append(sentence, button);
  keeping.form.before(notice);
}

// Even this loses nothing: the blog has the text first, among the revisions or as a draft.
async function goBack(keeping) {
  const isNew = !keeping.post;
  if (!(await keeping.sendAll())) return;
  keeping.isLeaving = true;
  if (isNew || !keeping.form.elements.version) return location.assign("/posts/new");
  const form = document.createElement("form");
  Object.assign(form, { method: "post", action: `/posts/${keeping.post}/autosave/delete` });
  document.body.append(form);
  form.submit();
}
