// Whoever logs out leaves no text in this browser for the next person. What has not reached the blog
// yet would be lost, so that is asked first.

const PREFIX = "inkstand:text:";

for (const form of document.querySelectorAll('form[action="/auth/logout"]')) {
  form.addEventListener("submit", (event) => {
    const keys = kept(form.dataset.account);
    if (keys.length && !confirm(form.dataset.loses)) {
      event.preventDefault();
    } else {
      for (const key of keys) localStorage.removeItem(key);
    }
  });
}

function kept(account) {
  try {
    return Object.keys(localStorage).filter((key) => key.startsWith(`${PREFIX}${account}:`));
  } catch {
    return [];
  }
}
