"""Rows of the syllabus → weeks with their meetings."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from campus.schedule.page.dates import is_open
from campus.schedule.page.inline import CellPlace, Topic, read_topics
from campus.schedule.page.kinds import kind_of_topic
from campus.schedule.page.links import find_brackets
from campus.schedule.page.problems import Findings, Problem
from campus.schedule.page.shapes import PageMeeting, PageResource, PageWeek
from campus.schedule.page.tables import Cell
from campus.schedule.page.term import Term
from campus.schedule.page.week_dates import settle_dates
from campus.schedule.page.week_numbers import settle_numbers
from campus.schedule.page.week_order import WeekPlace
from campus.schedule.page.week_rows import LONGEST_CELL, RawWeek

MOST_RESOURCES = 30


def read_weeks(rows: Sequence[RawWeek], term: Term, findings: Findings) -> tuple[PageWeek, ...]:
    """The weeks; incomplete where problems were reported."""
    numbers = settle_numbers(rows, findings)
    places = [WeekPlace(row, number) for row, number in zip(rows, numbers, strict=True)]
    all_days = settle_dates(places, term, findings)
    return tuple(
        read_week(place, days, findings) for place, days in zip(places, all_days, strict=True)
    )


def read_week(place: WeekPlace, days: tuple[date, ...], findings: Findings) -> PageWeek:
    topics = with_cell_resources(cell_topics(place, findings), place, findings)
    return PageWeek(
        line=place.raw.line,
        number=place.number or 0,
        dates=days,
        meetings=meetings(topics, days, place.raw.line),
    )


def cell_topics(place: WeekPlace, findings: Findings) -> tuple[Topic, ...]:
    """The topics of the row's cell, or of the text chosen instead of a cell with problems."""
    cell = place.raw.topic_cell
    if cell is None:
        return ()
    where = CellPlace(place.raw.line, cell.column, f"{place.field}.topics")
    dates = len(place.raw.scan.tokens)
    trial = Findings()
    topics = read_cell(cell, where, dates, trial)
    for note in trial.notes:
        findings.note(note.line, note.field, note.text, note.message)
    if not trial.problems:
        return topics
    chosen: str | None = None
    for problem in trial.problems:
        # The field is the whole cell, so what is proposed for a part of it is put in its place.
        whole = cell.text.replace(problem.text, problem.proposal) if problem.proposal else ""
        if chosen is None:
            chosen = findings.decide(replace(problem, proposal=whole), str)
    return (
        topics if chosen is None else read_cell(Cell(chosen, cell.column), where, dates, findings)
    )


def read_cell(cell: Cell, where: CellPlace, dates: int, findings: Findings) -> tuple[Topic, ...]:
    """Topics of a cell; an empty or endless one is a problem."""
    if len(cell.text) > LONGEST_CELL:
        message, remedy = f"a cell has at most {LONGEST_CELL:,} characters", "shorten it"
        findings.report(
            Problem(where.line, where.field, cell.text, message, "", remedy, where.column)
        )
        return ()
    topics = read_topics(cell.text, where, dates, findings)
    if not topics and not any(problem.field == where.field for problem in findings.problems):
        remedy = "write the topic, or Spring Break, or TBD"
        findings.report(
            Problem(
                where.line, where.field, cell.text, "no topic stands here", "", remedy, where.column
            )
        )
    for topic in topics:
        if is_open(topic.title):
            findings.note(where.line, where.field, topic.title, "a topic that is not decided yet")
    return topics


def with_cell_resources(
    topics: tuple[Topic, ...], place: WeekPlace, findings: Findings
) -> tuple[Topic, ...]:
    """The topics with what stands in columns of their own (Slides, Readings, …)."""
    for title, cell in place.raw.resource_cells:
        where = CellPlace(place.raw.line, cell.column, f"{place.field}.resources")
        if not topics or len(cell.text) > LONGEST_CELL or is_open(cell.text):
            continue
        found = cell_resources(title, cell, where, findings)
        if len(found) == len(topics):
            topics = tuple(
                replace(topic, resources=(*topic.resources, resource))
                for topic, resource in zip(topics, found, strict=True)
            )
        else:  # nothing says which topic they belong to, so the week's first one carries them
            first = replace(topics[0], resources=(*topics[0].resources, *found))
            topics = (first, *topics[1:])
    for topic in topics:
        if len(topic.resources) > MOST_RESOURCES:
            message = f"a topic has at most {MOST_RESOURCES} resources"
            findings.report(
                Problem(
                    place.raw.line, f"{place.field}.topics", topic.title, message, "", "shorten it"
                )
            )
    return topics


def cell_resources(
    title: str, cell: Cell, where: CellPlace, findings: Findings
) -> tuple[PageResource, ...]:
    """Everything that a resource column has; text without a link is announced under its own name."""
    if not find_brackets(cell.text) and "://" not in cell.text:
        label = " ".join(cell.text.split())[:80]
        return (PageResource(where.line, label, ""),)
    trial = Findings()
    topics = read_topics(f"{title or 'Resources'} {cell.text}", where, 0, trial)
    for problem in trial.problems:
        findings.report(problem)
    return tuple(
        replace(resource, label=title or resource.label) if resource.label == "Link" else resource
        for topic in topics
        for resource in topic.resources
    )


def meetings(
    topics: tuple[Topic, ...], days: tuple[date, ...], line: int
) -> tuple[PageMeeting, ...]:
    """Topics on their dates: one each if they are as many, else on the one date, else on them all."""
    made = []
    for position, topic in enumerate(topics):
        first = last = None
        if len(days) == len(topics):
            first = days[position]
        elif len(days) == 1:
            first = days[0]
        elif days:
            first, last = days[0], days[-1]
        made.append(
            PageMeeting(
                line=line,
                title=topic.title,
                kind=kind_of_topic(topic.title),
                date=first,
                last_date=last,
                resources=topic.resources,
            )
        )
    return tuple(made)
