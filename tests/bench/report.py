"""The figures of one run as a table, as JSON, and as docs/benchmarks.md with its picture."""

import json
from pathlib import Path
from typing import Any

from tests.bench.picture import bars

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "tests" / "bench" / "results"
PAGE = ROOT / "docs" / "benchmarks.md"
PICTURE = ROOT / "docs" / "benchmarks.svg"
BEGIN, END = "<!-- figures: written by `bench_compare --publish` -->", "<!-- end of figures -->"
MOST = "4"

Run = dict[str, Any]


def save(run: Run) -> Path:
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"compare-{run['machine']['began']}.json"
    path.write_text(json.dumps(run, indent=1) + "\n")
    return path


def best(lab: Run) -> dict[str, Any]:
    """The fastest of ours and of everybody else's at four processes."""
    ours = {n: s for n, s in lab["systems"].items() if n.startswith("Gradus")}
    return max(ours.values(), key=lambda system: float(system[MOST]["per_second"]))


def comparison(lab: Run) -> list[list[str]]:
    """System, then submissions a second and processor seconds each, with how much ours is of them."""
    head = ["system", "1 process", "4 processes", "slower", "processor time each", "more"]
    reference = best(lab)[MOST]
    rows = []
    for name, counts in lab["systems"].items():
        four = counts[MOST]
        rows.append(
            [
                name,
                f"{counts['1']['per_second']:.2f} /s",
                f"{four['per_second']:.2f} /s",
                f"{reference['per_second'] / four['per_second']:.1f} ×",
                f"{four['cpu']:.3f} s",
                f"{four['cpu'] / reference['cpu']:.1f} ×",
            ]
        )
    return [head, *rows]


def stages(lab: Run) -> list[list[str]]:
    """One grading alone, in milliseconds, and where they go."""
    rows = [["one grading alone", *lab["alone"]]]

    def row(name: str, *path: str) -> list[str]:
        cells = []
        for alone in lab["alone"].values():
            value: Any = alone
            for step in path:
                value = value[step]
            cells.append(f"{1000 * value:.1f} ms")
        return [name, *cells]

    rows += [
        row("whole, median", "p50"),
        row("whole, 95th percentile", "p95"),
        row("floor: the cells in a plain fork", "floor"),
    ]
    ratios = [f"{alone['p50'] / alone['floor']:.1f} ×" for alone in lab["alone"].values()]
    rows.append(["ratio to the floor", *ratios])
    first = next(iter(lab["alone"].values()))
    rows += [row(f"stage: {name}", "stages", name) for name in first["stages"]]
    parts: list[str] = []
    systems = [s[MOST]["parts"] for n, s in lab["systems"].items() if n.startswith("Gradus")]
    for part in systems[0]:
        parts = [f"{1000 * found.get(part, 0):.1f} ms" for found in systems]
        rows.append([f"processor time at four: {part}", *parts])
    return rows


def memory(lab: Run) -> list[list[str]]:
    rows = [["memory", "MiB"]]
    for wall, found in lab["memory"].items():
        rows += [
            [f"one jail behind the {wall} wall, private", str(found["jail_private"])],
            ["the same, with its share of common pages", str(found["jail_pss"])],
            ["its zygote, which all jails share", str(found["zygote"])],
        ]
    return rows


def soaked(run: Run) -> list[list[str]]:
    soak = run["soak"]
    before, after = soak["before"], soak["after"]
    rows = [[f"{soak['gradings']:,} gradings in a row", "before", "after"]]
    rows += [[name.replace("_", " "), str(before[name]), str(after[name])] for name in before]
    rows.append(["internal errors", "", str(soak["internal_errors"])])
    rows.append(
        ["different results of the same submission", "", str(soak["different_results"] - 1)]
    )
    return rows


def tables(run: Run) -> list[tuple[str, list[list[str]]]]:
    found = []
    for slug, lab in run["labs"].items():
        title = f"The lab on {slug}: {lab['checks']} checks"
        found += [(title, comparison(lab)), ("", stages(lab)), ("", memory(lab))]
    return [*found, ("Many gradings", soaked(run))] if "soak" in run else found


def about(run: Run) -> str:
    machine = run["machine"]
    return (
        f"{machine['day']}: {machine['cores']} cores ({machine['processor']}), "
        f"{machine['memory_gib']} GiB, Linux {machine['kernel']}, Python {machine['python']}; "
        f"load {machine['load_before']} before and {machine['load_after']} after; "
        f"{'full' if run['full'] else 'quick'} run, medians of {run['rounds']} rounds in turn."
    )


def lines(run: Run) -> list[str]:
    """The run for a terminal."""
    out = [about(run)]
    for title, rows in tables(run):
        out += ["", title] if title else [""]
        widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
        for row in rows:
            first, *rest = [cell.rjust(width) for cell, width in zip(row, widths, strict=True)]
            out.append("  " + "  ".join([first.strip().ljust(widths[0]), *rest]))
    return out


def markdown(run: Run) -> str:
    out = [about(run), "", "![Submissions a second, and processor time of each](benchmarks.svg)"]
    for title, rows in tables(run):
        out += ["", f"## {title}", ""] if title else [""]
        head, *rest = rows
        out.append("| " + " | ".join(head) + " |")
        out.append("|---|" + "---:|" * (len(head) - 1))
        out += ["| " + " | ".join(row) + " |" for row in rest]
    return "\n".join(out) + "\n"


def publish() -> int:
    """Put the last run into docs/benchmarks.md between its marks, and draw its picture."""
    runs = sorted(RESULTS.glob("compare-*.json"))
    if not runs:
        print("There is no run to publish: `make bench` makes one.")
        return 1
    run = json.loads(runs[-1].read_text())
    page = PAGE.read_text()
    before, _, rest = page.partition(BEGIN)
    after = rest.partition(END)[2]
    PAGE.write_text(f"{before}{BEGIN}\n{markdown(run)}{END}{after}")
    systems = run["labs"]["arrays"]["systems"]
    rates = {name: counts[MOST]["per_second"] for name, counts in systems.items()}
    costs = {name: counts[MOST]["cpu"] for name, counts in systems.items()}
    PICTURE.write_text(
        bars(
            [
                ("Submissions a second, four processes (more is better)", rates, "/s"),
                ("Processor time of one submission (less is better)", costs, "s"),
            ]
        )
    )
    print(f"docs/{PAGE.name} and docs/{PICTURE.name} show {runs[-1].name}")
    return 0
