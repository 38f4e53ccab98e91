"""Reading a page as a browser does, strictly: what is not well-formed, runs or fetches something is an error."""

from html.parser import HTMLParser

# Elements that run, fetch or send something, or that may hide that others do.
ACTIVE = {"script", "iframe", "object", "embed", "link", "base", "form", "input", "a", "img", "use", "foreignobject"}
EMPTY = {"meta", "rect"}


class Page(HTMLParser):
    """The text of a page, its tables by caption, and its open elements."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.texts: list[str] = []
        self.tables: dict[str, list[list[str]]] = {}
        self.attributes: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)
        self.close()
        assert self.open == []

    @property
    def text(self) -> str:
        return " ".join(self.texts)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag not in ACTIVE, tag
        found = dict(attrs)
        assert len(found) == len(attrs)
        assert not [name for name in found if name.startswith("on") or name in ("src", "href", "style", "xlink:href")]
        self.attributes.append((tag, found))
        if tag not in EMPTY:
            self.open.append(tag)
        if tag == "tr":
            self._rows().append([])
        if tag in ("th", "td"):
            self._rows()[-1].append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in EMPTY:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "caption":
            self.tables[data] = []
        elif self.open and self.open[-1] in ("th", "td"):
            self._rows()[-1][-1] += data
        if data.strip() and "style" not in self.open:
            self.texts.append(data.strip())

    def _rows(self) -> list[list[str]]:
        return self.tables[list(self.tables)[-1]]
