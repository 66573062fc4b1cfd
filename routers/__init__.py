"""Routes: load, check, one verb, page or redirect. No queries here."""
