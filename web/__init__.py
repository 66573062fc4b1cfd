"""Our small framework: knows HTTP, nothing of blogs. Plain ASGI, so that it costs little."""
