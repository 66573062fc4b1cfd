// Images that are pasted or dropped.

export function startUploads(_desk) {}
