// The editor: a form that works without any of this, and what makes it pleasant.

import { Desk } from "./desk.js";
import { startKeeping } from "./keeping.js";
import { startPreview } from "./preview.js";
import { startToolbar } from "./toolbar.js";
import { startUploads } from "./uploads.js";

const form = document.querySelector("form[data-editor]");
if (form) {
  const desk = new Desk(form);
  for (const start of [startToolbar, startPreview, startKeeping, startUploads]) start(desk);
}
