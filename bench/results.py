"""The tables of docs/results.md: published experiments with the methods of blo, one command per table.

    cargo build --release -p blo
    python3 bench/results.py                          # everything, and write it into docs/results.md
    python3 bench/results.py digits                   # one section
    python3 bench/results.py digits --only bome,meha  # some of its rows, printed only

A row is one run: `blo run MODEL --method 'METHOD(OPTIONS)'` repeats it. Seconds are those that the method took, with the check of its
answer, as seen on whatever else the machine does meanwhile. What the tables of a section are is in bench/experiments."""
import argparse
import pathlib
import re
import sys

from experiments import SECTIONS

PAGE = pathlib.Path(__file__).resolve().parent.parent / "docs/results.md"


def write(name, text):
    """Puts the tables of a section between its marks in the page."""
    page = PAGE.read_text()
    marks = re.compile(rf"(<!-- {name}: .*? -->\n).*?(<!-- end of {name} -->)", re.DOTALL)
    if not marks.search(page):
        sys.exit(f"docs/results.md has no marks for {name}")
    PAGE.write_text(marks.sub(lambda found: f"{found[1]}\n{text}\n{found[2]}", page))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sections", nargs="*", help=f"of {', '.join(SECTIONS)}")
    parser.add_argument("--only", help="methods, separated by commas; the page is left as it is")
    args = parser.parse_args()
    unknown = [name for name in args.sections if name not in SECTIONS]
    if unknown:
        parser.error(f"no section {', '.join(unknown)}")
    for name in args.sections or SECTIONS:
        print(f"\n{name}")
        text = SECTIONS[name](args.only.split(",") if args.only else None)
        if not args.only:
            write(name, text)


if __name__ == "__main__":
    main()
