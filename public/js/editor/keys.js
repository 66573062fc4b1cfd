// Keys as `aria-keyshortcuts` names them, and as keyboards have them.

const isApple = /Mac|iPhone|iPad/.test(navigator.platform);
const SIGNS = { Period: "." };

// Whether an event is a shortcut such as "Control+Shift+8".
export function isPressed(shortcut, event) {
  if (!shortcut || event.isComposing || event.altKey) return false;
  const keys = shortcut.split("+");
  const last = keys.pop();
  if (event.ctrlKey !== keys.includes("Control") || event.metaKey !== keys.includes("Meta")) return false;
  if (event.shiftKey !== keys.includes("Shift")) return false;
  // Letters by what they write; the others, and those of other scripts, by where they are.
  const typed = /^[a-z]$|^.{2,}$/i.test(event.key) ? event.key : event.code.replace(/^(Key|Digit)/, "");
  return (SIGNS[typed] ?? typed).toLowerCase() === last.toLowerCase();
}

// Give an element the keys of this machine: on Apple's, Command is what Control is elsewhere.
export function nativeKeys(element, keys = element.ariaKeyShortcuts) {
  if (keys) element.ariaKeyShortcuts = isApple ? keys.replace("Control", "Meta") : keys;
}

// “Ctrl+Shift+8”, or “⇧⌘8”.
export function keyName(shortcut) {
  const name = shortcut.replace("Control", "Ctrl");
  return isApple ? name.replace("Meta+Shift", "⇧⌘").replace("Meta", "⌘").replaceAll("+", "") : name;
}
