// Titles and tags while one types: a combobox with a list below it, as the ARIA Authoring Practices
// describe it. Nothing of the page moves, and without this script the field is a plain form.

const PAUSE = 150; // milliseconds without a key until we ask
const SHORTEST = 2;

for (const input of document.querySelectorAll("input[data-suggestions]")) begin(input);

function begin(input) {
  const list = document.createElement("ul");
  list.className = "suggestions";
  list.id = `${input.id}-suggestions`;
  list.hidden = true;
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", input.labels[0].textContent);
  input.after(list);
  const properties = { role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": list.id };
  for (const [name, value] of Object.entries(properties)) input.setAttribute(name, value);

  let waiting, asking, chosen = -1;

  input.addEventListener("input", () => {
    stop();
    const typed = input.value.trim();
    if (typed.length < SHORTEST) return close();
    waiting = setTimeout(() => ask(typed), PAUSE);
  });

  input.addEventListener("keydown", (event) => {
    if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
    const keys = { ArrowDown: () => move(1), ArrowUp: () => move(-1), Escape: dismiss, Enter: accept };
    if (!list.hidden && keys[event.key]?.()) event.preventDefault();
  });

  input.addEventListener("blur", () => { stop(); close(); });
  input.form.addEventListener("submit", () => { stop(); close(); });
  // A press would take the focus away, and with it the list, before the click comes.
  list.addEventListener("pointerdown", (event) => event.preventDefault());
  list.addEventListener("click", (event) => open(event.target.closest("[role=option]")));

  async function ask(typed) {
    asking = new AbortController();
    const address = `${input.dataset.suggestions}?${new URLSearchParams({ q: typed.slice(0, input.maxLength) })}`;
    try {
      const response = await fetch(address, { signal: asking.signal });
      show(response.ok ? (await response.json()).suggestions : []);
    } catch {
      // Asked again meanwhile, or nobody answers: the form still works.
    }
  }

  function stop() {
    clearTimeout(waiting);
    asking?.abort();
  }

  function show(found) {
    close();
    if (!found.length || document.activeElement !== input) return;
    list.replaceChildren(...found.map(option));
    list.hidden = false;
    input.setAttribute("aria-expanded", "true");
  }

  function option(suggestion, number) {
    const item = document.createElement("li");
    item.id = `${list.id}-${number}`;
    item.className = suggestion.kind;
    item.dataset.path = suggestion.path;
    item.setAttribute("role", "option");
    item.setAttribute("aria-selected", "false");
    item.textContent = suggestion.title;
    return item;
  }

  function move(step) {
    const options = [...list.children];
    // One place beyond the last is the field itself, with what was typed.
    chosen = ((chosen + 1 + step + options.length + 1) % (options.length + 1)) - 1;
    options.forEach((each, number) => each.setAttribute("aria-selected", String(number === chosen)));
    if (chosen < 0) input.removeAttribute("aria-activedescendant");
    else {
      input.setAttribute("aria-activedescendant", options[chosen].id);
      options[chosen].scrollIntoView({ block: "nearest" });
    }
    return true;
  }

  function dismiss() {
    close();
    return true;
  }

  function accept() {
    return open(list.children[chosen]);
  }

  function open(item) {
    if (!item) return false;
    location.assign(item.dataset.path);
    return true;
  }

  function close() {
    chosen = -1;
    list.hidden = true;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  }
}
