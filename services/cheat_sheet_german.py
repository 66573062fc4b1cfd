"""What stands in the sheet of a blog that speaks German, by the names of its examples. They are no
messages of a catalogue: markup in them is what they are about."""

SOURCES = {
    "Emphasis": "*schräg*, **kräftig**, ~~gestrichen~~",
    "Headings": "## Ein Kapitel\n\n### Ein Teil davon",
    "Links": "[der Hafen](https://example.org), oder nur https://example.org",
    "Lists": "- Tau\n- Teer\n  - und ein Pinsel\n\n1. erstens\n2. zweitens",
    "Tasks": "- [x] den Rumpf streichen\n- [ ] auf das Frühjahr warten",
    "Quotes": "> Ein Tau vergisst nichts.\n>\n> — eine Seilerin",
    "Code": '`ein Wort`, oder Zeilen davon:\n\n```python\nprint("ahoi")\n```',
    "A listing with a title": '```toml title="boot.toml"\nname = "Möwe"\n```',
    "Tables": "| Tide | Uhr   |\n|------|------:|\n| hoch | 6:12  |\n| tief | 12:30 |",
    "Images": "![Was darauf zu sehen ist](https://…/boot.webp)",
    "Images with a caption": '![Was darauf zu sehen ist](https://…/boot.webp "Die Möwe im Mai")',
    "Video and sound": "![Ein Vortrag über Knoten](https://…/vortrag.mp4)",
    "Footnotes": "Taue schrumpfen.[^nass]\n\n[^nass]: Wenn sie nass sind.",
    "Notes that stand out": "> [!NOTE]\n> Oder TIP, IMPORTANT, WARNING, CAUTION.\n\n"
    "> [!WARNING] Frisch gestrichen\n> Mit einem eigenen Titel.",
    "Formulas": "$e^{i\\pi} = -1$, oder in einer eigenen Zeile:\n\n$$\\int_0^1 x^2\\,dx = \\frac{1}{3}$$",
    "More to unfold": "<details>\n<summary>Das Rezept</summary>\n\nLeinöl, und *Geduld*.\n\n</details>",
    "A line between": "oben\n\n---\n\nunten",
    "As it is typed": "\\*nicht schräg\\*",
    "Keys, marks, small print": "<kbd>Strg</kbd> <mark>markiert</mark> H<sub>2</sub>O"
    " <small>klein</small>",
}
