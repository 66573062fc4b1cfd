// Buttons and keys for Markdown.

export function startToolbar(_desk) {}
