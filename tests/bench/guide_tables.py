"""guide_tables.py - tables in a document, each between `<!-- NAME -->` and `<!-- end of NAME -->`; and how numbers stand in them."""
import re, sys


def number(value):
    return "–" if value is None else f"{value:,.0f}"


def span(seconds):
    if seconds is None:
        return "–"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h" if seconds < 172800 else f"{seconds / 86400:.1f} d"


def table_of(titles, rows):
    return "\n".join(f"| {' | '.join(cells)} |" for cells in [titles, *rows]).replace("\n", "\n|" + "---|" * len(titles) + "\n", 1)


def write_table(guide, name, table):
    start, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    text = guide.read_text()
    if start not in text or end not in text:
        sys.exit(f"{guide}: has no `{start}` and `{end}`")
    guide.write_text(re.sub(f"{start}.*?{end}", lambda found: f"{start}\n{table}\n{end}", text, flags=re.S))
