"""`make look`: a picture of every page example in two brands, two widths, light and dark, and one sheet of them all.

`python -m tests.look WORD` pictures only the pages whose name holds the word, `python -m tests.look WORD ar` in that
language.
"""

import html
import os
import sys
from itertools import product
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from app.demo.checks.browser import find_chromium
from tests.look.brands import BRANDS
from tests.look.browser import launch
from tests.look.site import Shown, pages, serving

OUT = Path(".slipway/look")
WIDTHS = (1280, 360)
THEMES = ("light", "dark")


def picture(browser: Browser, address: str, chosen: list[tuple[str, int]], wanted: str = "") -> list[str]:
    """Take every picture; gives their file names, in the order of the sheet."""
    names = []
    for width, theme, brand in product(WIDTHS, THEMES, BRANDS):
        # The second brand speaks German, so that every page is seen in both languages.
        language = wanted or ("en" if brand == next(iter(BRANDS)) else "de")
        context = browser.new_context(
            viewport={"width": width, "height": 800},
            color_scheme="dark" if theme == "dark" else "light",
            locale={"en": "en-GB", "de": "de-DE", "ar": "ar-AE"}[language],
        )
        tab = context.new_page()
        for page, number in chosen:
            shown = Shown(page, number, brand, language)
            tab.goto(address + shown.path)
            tab.evaluate("() => document.fonts.ready")
            name = f"{page.removesuffix('.html').replace('/', '.')}-{number}-{brand}-{width}-{theme}.png"
            tab.screenshot(path=OUT / name, full_page=True)
            names.append(name)
        context.close()
    return sorted(names)


def sheet(names: list[str]) -> str:
    """One HTML page with all pictures, side by side."""
    style = "body{font:14px system-ui;margin:24px;background:#888}figure{display:inline-block;margin:8px;"
    style += "vertical-align:top;background:#fff}img{width:300px;display:block}figcaption{padding:4px 8px;width:284px}"
    figures = "".join(
        f'<figure><a href="{name}"><img src="{name}" alt=""></a><figcaption>{html.escape(name)}</figcaption></figure>'
        for name in names
    )
    return f"<!doctype html><meta charset=utf-8><title>Contact sheet</title><style>{style}</style>{figures}"


def main(word: str = "", language: str = "") -> None:
    """Take the pictures and write the sheet."""
    OUT.mkdir(parents=True, exist_ok=True)
    chosen = [(page, number) for page, number in pages() if word in page]
    with serving() as address, sync_playwright() as playwright:
        names = picture(launch(playwright, find_chromium(os.environ)), address, chosen, language)
    (OUT / "index.html").write_text(sheet(names), encoding="utf-8")
    sys.stdout.write(f"{len(names)} pictures: {OUT / 'index.html'}\n")


if __name__ == "__main__":
    main(*sys.argv[1:3])
