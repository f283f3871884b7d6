"""Upload of an nbgrader course or notebook: preview, then labs and assignments that nobody sees yet.

Nothing is kept between the two steps: the preview's page carries the notebooks, and what comes back is read
as if it were uploaded for the first time.
"""

import base64
import binascii
import io
import zipfile

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.db import IntegrityError, transaction
from django.db.models import Max
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from campus.assignments.models import Assignment
from campus.courses.access import instructor_enrolment_or_404
from campus.courses.models import Course
from labs.catalog import LabError, Preview, preview_upload, store_upload

MAX_UPLOAD_BYTES = 20 * 2**20
MAX_CARRIED = 5 * 2**20  # what the confirming form may carry, within Django's own limit


@require_http_methods(["GET", "HEAD", "POST"])
def import_nbgrader(request: HttpRequest, slug: str) -> HttpResponse:
    """A form, then a preview of what was chosen, then its labs and assignments."""
    enrolment = instructor_enrolment_or_404(request, slug)
    context: dict[str, object] = {"course": enrolment.course, "enrolment": enrolment}
    if request.method != "POST":
        return render(request, "gradebook/import.html", context)
    if "carried" in request.POST:
        preview = _carried(str(request.POST["carried"]))
        if preview.ready:
            return _confirmed(request, enrolment.course, preview)
    else:
        preview = _uploaded(request.FILES.get("file"))
    context |= {"preview": preview, "carried": _to_carry(preview)}
    return render(request, "gradebook/import.html", context)


def _uploaded(file: object) -> Preview:
    if not isinstance(file, UploadedFile) or not file.name:
        return Preview((), ("No file was chosen; choose a .zip or an .ipynb.",), ())
    if (file.size or 0) > MAX_UPLOAD_BYTES:
        limit = MAX_UPLOAD_BYTES // 2**20
        return Preview((), (f"The file is larger than {limit} MiB; leave out data.",), ())
    return preview_upload(str(file.name), file.read())


def _to_carry(preview: Preview) -> str:
    """The notebooks of a preview as the text of a form's field; nothing if they are too large for one."""
    if not preview.ready:
        return ""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for lab in preview.labs:
            archive.writestr(f"source/{lab.slug}/{lab.slug}.ipynb", lab.notebook)
    text = base64.b64encode(packed.getvalue()).decode()
    return text if len(text) <= MAX_CARRIED else ""


def _carried(text: str) -> Preview:
    try:
        content = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return Preview((), ("The form came back damaged; choose the file again.",), ())
    return preview_upload("import.zip", content)


def _confirmed(request: HttpRequest, course: Course, preview: Preview) -> HttpResponse:
    taken = Assignment.objects.filter(course=course, slug__in=[lab.slug for lab in preview.labs])
    if names := sorted(taken.values_list("slug", flat=True)):
        problem = (
            f"The course has assignments called {', '.join(names)} already; rename the folders."
        )
        preview = Preview(preview.labs, (problem,), ())
    else:
        try:
            create_assignments(course, preview)
        except LabError as error:
            preview = Preview(preview.labs, (str(error),), ())
        except IntegrityError:  # somebody else imported the same in this very moment
            problem = (
                "Assignments of these names were just made by somebody else; look at the course."
            )
            preview = Preview(preview.labs, (problem,), ())
        else:
            count = len(preview.labs)
            words = "1 assignment was" if count == 1 else f"{count} assignments were"
            messages.success(
                request, f"{words} imported. Students do not see what is not published yet."
            )
            return redirect(reverse("gradebook:dashboard", args=[course.slug]))
    context = {"course": course, "preview": preview, "carried": ""}
    return render(request, "gradebook/import.html", context)


@transaction.atomic
def create_assignments(course: Course, preview: Preview) -> None:
    """One unpublished assignment for each lab, then the labs' files; both or neither.

    Raises:
        LabError: a lab of that name exists, or the files cannot be written.
    """
    last = Assignment.objects.filter(course=course).aggregate(last=Max("position"))["last"] or 0
    for position, lab in enumerate(preview.labs, start=last + 1):
        Assignment.objects.create(
            course=course,
            slug=lab.slug,
            title=lab.title[:200],
            kind=Assignment.Kind.LAB,
            lab=lab.slug,
            position=position,
            published=False,
        )
    try:
        store_upload(preview)
    except OSError as error:
        raise LabError(f"The labs could not be stored: {error.strerror}.") from None
