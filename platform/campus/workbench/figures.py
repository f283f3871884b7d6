"""The pictures in a lab's folder `figures/`, sent so that an SVG opened by itself runs nothing."""

from django.http import FileResponse, Http404

from labs.catalog import Lab

NO_FIGURE = "The lab has no such figure."
FIGURE_TYPES = {".svg": "image/svg+xml", ".png": "image/png", ".jpg": "image/jpeg"}


def figure_response(lab: Lab, name: str) -> FileResponse:
    """One picture of the lab. The caller has made sure that the visitor may see the lab.

    Raises:
        Http404: there is no such picture, or the name leads out of the folder.
    """
    folder = (lab.folder / "figures").resolve()
    try:
        path = (folder / name).resolve()
        found = path.is_relative_to(folder) and path.is_file()
    except (ValueError, OSError):  # a name that no file can have: NUL in it, or too long
        raise Http404(NO_FIGURE) from None
    kind = FIGURE_TYPES.get(path.suffix.lower())
    if kind is None or not found:
        raise Http404(NO_FIGURE)
    response = FileResponse(path.open("rb"), content_type=kind)
    response["Cache-Control"] = "private, max-age=300"
    response["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
    return response
