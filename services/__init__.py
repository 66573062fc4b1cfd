"""The domain: nouns as modules, verbs as functions. Knows nothing of HTTP."""
