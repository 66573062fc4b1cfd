// Passkeys: the browser's answer goes into a hidden field, and the form is sent like any other.

const forms = document.querySelectorAll("form[data-passkey]");
const works = "PublicKeyCredential" in window && "parseRequestOptionsFromJSON" in PublicKeyCredential;
let offer = null; // what the login field waits for
let asked = Promise.resolve(); // one question at a time: the blog takes the answer to the last one

for (const form of forms) works ? prepare(form) : explain(form);

function prepare(form) {
  form.hidden = false;
  form.addEventListener("submit", (event) => {
    if (form.elements.passkey.value) return; // the second time round: it goes to the server
    event.preventDefault();
    offer?.abort();
    ask(form);
  });
  if ("alsoInField" in form.dataset) offerInField(form);
}

function explain(form) {
  form.parentElement.querySelector("[data-no-passkeys]").hidden = false;
}

async function ask(form) {
  const button = form.querySelector("button");
  button.disabled = true;
  try {
    send(form, await answer(form));
  } catch (error) {
    say(form, wordFor(error));
  }
  button.disabled = false;
}

// The login field offers passkeys beside passwords (autocomplete="username webauthn"). Nobody has
// asked for anything yet, so nothing is said when that comes to nothing.
async function offerInField(form) {
  if (!(await PublicKeyCredential.isConditionalMediationAvailable?.())) return;
  offer = new AbortController();
  const how = { mediation: "conditional", signal: offer.signal };
  await answer(form, how).then((credential) => send(form, credential), () => {});
}

async function answer(form, how = {}) {
  asked = asked.catch(() => {}).then(() => optionsFor(form));
  const publicKey = await asked;
  return navigator.credentials[form.dataset.passkey]({ publicKey, ...how });
}

async function optionsFor(form) {
  const response = await fetch(form.dataset.options, { method: "POST", redirect: "manual" });
  if (response.type === "opaqueredirect") location.reload(); // to where one logs in again
  if (!response.ok) throw new Error(`${response.status}`);
  const options = await response.json();
  return form.dataset.passkey === "create"
    ? PublicKeyCredential.parseCreationOptionsFromJSON(options)
    : PublicKeyCredential.parseRequestOptionsFromJSON(options);
}

function send(form, credential) {
  const remember = document.querySelector("input[type=checkbox][name=remember]");
  if (remember) form.elements.remember.value = remember.checked ? "on" : "";
  form.elements.passkey.value = JSON.stringify(credential.toJSON());
  form.requestSubmit();
}

function wordFor(error) {
  if (error.name === "InvalidStateError") return "known";
  return error instanceof DOMException ? "cancelled" : "failed";
}

function say(form, word) {
  const trouble = form.querySelector("[data-trouble]");
  trouble.textContent = form.querySelector(`[data-${word}]`).content.textContent;
  trouble.hidden = false;
}
