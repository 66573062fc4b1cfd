"""Names with a meaning: Alice owns, Bob writes, Carol reads, Mallory attacks."""

ALICE, BOB, CAROL, MALLORY = "alice", "bob", "carol", "mallory"
PASSWORD = "a quay in the north"
