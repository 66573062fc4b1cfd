"""Markdown to HTML that is safe to show: comrak parses, Pygments colours, nh3 sanitises."""

from services.markdown.rendering import RENDERER, render
from services.markdown.said import said
from services.markdown.words import opening, plain_text

__all__ = ["RENDERER", "opening", "plain_text", "render", "said"]
