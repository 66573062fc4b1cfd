// What was typed is never lost.

export function startKeeping(_desk) {}
