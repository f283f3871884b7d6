"""What a topic is, told by its title alone: a lecture, a break, an exam, a review, a guest."""

import re

from campus.schedule.page.shapes import MeetingKind, WeightKind

# In this order: "Final Exam Review" is a review, "Guest Speech: exams" a guest's talk.
PATTERNS = (
    (
        MeetingKind.BREAK,
        r"^(?:(?:spring|mid-?\s?term|reading|easter|autumn|fall|winter|summer|study|thanksgiving|term|"
        r"semester|christmas|new\s+year|national\s+day|university)\s+)*(?:break|recess|vacation)\b(?!-)"
        r"|\b(?:reading|study|golden)\s+week\b"
        r"|\bholidays?\b|\bno\s+(?:class|classes|lecture|lectures|meeting|session)\b"
        r"|\b(?:spring|mid-?autumn|dragon\s+boat|ching\s+ming|qingming|lantern)\s+festival\b"
        r"|^(?:lunar|chinese)\s+new\s+year|^(?:national|labou?r|buddha'?s?)\b.*\bday\b|^good\s+friday\b"
        r"|^easter\b|^thanksgiving\b|\b(?:class|lecture)s?\s+(?:is\s+|are\s+)?cancell?ed\b",
    ),
    (
        MeetingKind.GUEST,
        r"\bguest\b|\binvited\s+(?:talk|speaker|lecture|speech)\b|\b(?:industry|visiting)\s+(?:talk|speaker)\b",
    ),
    (
        MeetingKind.REVIEW,
        r"\b(?:mid-?\s?term|final|exam|examination|course|quiz|pre-?exam)\b.*\b(?:review|revision|recap)\b"
        r"|^(?:review|revision|recap|wrap-?\s?up)(?:\s+(?:session|lecture|class))?(?:\s*[-#]?\s*\d+)?$"
        r"|\b(?:review|revision)\s+(?:session|for|of)\b.*\b(?:mid-?\s?term|final|exam)\b",
    ),
    (
        MeetingKind.OTHER,
        r"\bpresentations?\b|\btutorials?\b|\brecitations?\b|\boffice\s+hours?\b|\bposters?\s+session\b"
        r"|\bdemo\s+day\b|\bworkshop\b|\bdiscussion\s+session\b|\bfinal\s+projects?\b|\blab\s+session\b"
        r"|^presentation-sessions?\b|^(?:tbd|tba|to\s+be\s+(?:decided|announced))$",
    ),
    (
        MeetingKind.EXAM,
        r"\b(?:mid-?\s?term|final|make-?up|mock|oral|written|in-?class)\b[\s-]*(?:exam\w*|tests?|quiz)\b"
        r"|^(?:the\s+)?(?:exam|examination|quiz|test)s?(?:\s*[-#]?\s*\d+)?$|^quiz\b|\bquiz(?:zes)?$"
        r"|\bexam(?:ination)?s?(?:\s*[-#]?\s*\d+)?$|^(?:mid-?\s?term|final)s?(?:\s+\(?\w+\)?)?$",
    ),
)
COMPILED = tuple((kind, re.compile(pattern, re.IGNORECASE)) for kind, pattern in PATTERNS)
PARENTHESIS_AT_END = re.compile(r"\s*\([^()]*\)\s*$")

HOMEWORK = re.compile(
    r"\bhome\s?works?\b|\bassignments?\b|\bproblem\s+sets?\b|\bpsets?\b|\bhws?\b|\blabs?\b",
    re.IGNORECASE,
)
EXAM = re.compile(
    r"\bexam\w*\b|\bmid-?\s?terms?\b|\bfinals?\b|\bquiz(?:zes)?\b|\btests?\b", re.IGNORECASE
)
NOT_AN_EXAM = re.compile(
    r"\bprojects?\b|\breports?\b|\bpresentations?\b|\bpapers?\b", re.IGNORECASE
)


def kind_of_topic(title: str) -> MeetingKind:
    """The kind of meeting that a title announces; a lecture if nothing says otherwise."""
    bare = PARENTHESIS_AT_END.sub("", title).strip() or title.strip()
    return next((kind for kind, pattern in COMPILED if pattern.search(bare)), MeetingKind.LECTURE)


def kind_of_weight(title: str) -> WeightKind:
    """Whether a line of the grading is homework, an exam or something else."""
    if HOMEWORK.search(title):
        return WeightKind.HOMEWORK
    if EXAM.search(title) and not NOT_AN_EXAM.search(title):
        return WeightKind.EXAM
    return WeightKind.OTHER
