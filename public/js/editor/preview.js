// The page beside the text.

export function startPreview(_desk) {}
