"""Make an assignment consist of the exercises that a homework of the catalog names."""

from django.db import transaction

from campus.assignments.models import Assignment, AssignmentPart
from labs.catalog import Homework


@transaction.atomic
def compose(assignment: Assignment, homework: Homework) -> bool:
    """Give the assignment exactly these parts; True when that changed anything."""
    wanted = [(part.lab, list(part.exercises), part.points) for part in homework.parts]
    present = [(part.lab, part.exercises, part.points) for part in assignment.parts.all()]
    if wanted == present:
        return False
    assignment.parts.all().delete()
    AssignmentPart.objects.bulk_create(
        AssignmentPart(
            assignment=assignment, position=position, lab=lab, exercises=exercises, points=points
        )
        for position, (lab, exercises, points) in enumerate(wanted, start=1)
    )
    return True
