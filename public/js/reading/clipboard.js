// Copies a text and says so: on the button that was pressed, and to those who hear the page.

let told;

export async function copied(text, button, done) {
  try {
    await write(text);
  } catch {
    return; // the text is there to be selected
  }
  const label = (button.dataset.label ??= button.textContent);
  button.textContent = done;
  say(done);
  clearTimeout(button.back);
  button.back = setTimeout(() => {
    button.textContent = label;
  }, 2000);
}

async function write(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = document.createElement("textarea"); // over plain HTTP there is no clipboard to ask
  area.className = "unseen";
  area.value = text;
  document.body.append(area);
  const before = document.activeElement;
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  before?.focus();
  if (!done) throw new Error("not copied");
}

function say(words) {
  if (!told) {
    told = document.createElement("p");
    told.className = "unseen";
    told.role = "status";
    document.body.append(told);
  }
  told.textContent = "";
  setTimeout(() => {
    told.textContent = words;
  }, 100);
}
