// The editor: a form that works without any of this, and what makes it pleasant.

import { startCalm } from "./calm.js";
import { startCounts } from "./counts.js";
import { Desk } from "./desk.js";
import { startKeeping } from "./keeping.js";
import { startLists } from "./lists.js";
import { startPreview } from "./preview.js";
import { startSaving } from "./saving.js";
import { startToolbar } from "./toolbar.js";
import { startUploads } from "./uploads.js";

const PARTS = [startToolbar, startLists, startCounts, startCalm, startPreview, startKeeping, startUploads, startSaving];

const form = document.querySelector("form[data-editor]");
if (form) {
  const desk = new Desk(form);
  for (const start of PARTS) {
    try {
      start(desk);
    } catch (error) {
      reportError(error); // the other parts, and the form itself, go on
    }
  }
}
