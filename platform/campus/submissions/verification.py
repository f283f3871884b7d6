"""The public page on which anybody checks a receipt against a notebook."""

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from campus.submissions.receipts import MAX_RECEIPT_BYTES, verify_receipt
from grader.api import MAX_NOTEBOOK_BYTES


class ReceiptForm(forms.Form):
    """Two files, neither larger than the site itself would write."""

    receipt = forms.FileField(
        label="Receipt (.json)",
        widget=forms.ClearableFileInput(attrs={"accept": ".json,application/json"}),
    )
    notebook = forms.FileField(
        label="Notebook (.ipynb)",
        widget=forms.ClearableFileInput(attrs={"accept": ".ipynb"}),
    )

    def clean_receipt(self) -> "UploadedFile[bytes]":
        return _not_larger(self.cleaned_data["receipt"], MAX_RECEIPT_BYTES, "A receipt")

    def clean_notebook(self) -> "UploadedFile[bytes]":
        return _not_larger(self.cleaned_data["notebook"], MAX_NOTEBOOK_BYTES, "A notebook")


@require_http_methods(["GET", "HEAD", "POST"])
def verify(request: HttpRequest) -> HttpResponse:
    """Says in a sentence whether the receipt is genuine and belongs to the notebook. Stores nothing."""
    form = ReceiptForm(request.POST or None, request.FILES or None)
    verification = None
    if request.method == "POST" and form.is_valid():
        verification = verify_receipt(
            form.cleaned_data["receipt"].read(), form.cleaned_data["notebook"].read()
        )
    context = {"form": form, "verification": verification}
    return render(request, "submissions/verify.html", context)


def _not_larger(file: "UploadedFile[bytes]", limit: int, what: str) -> "UploadedFile[bytes]":
    if (file.size or 0) > limit:
        raise forms.ValidationError(
            f"{what} has at most {limit // 1024} KiB; this file has {(file.size or 0) // 1024} KiB."
        )
    return file
