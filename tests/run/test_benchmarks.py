"""What the benchmarks publish can be read."""

import xml.etree.ElementTree as ET

from tests.bench.picture import bars


def test_the_picture_is_well_formed_and_says_its_figures_in_words() -> None:
    picture = ET.fromstring(
        bars([("Rate & cost", {"Gradus, local wall": 40.0, "other": 0.5}, "/s")])
    )
    title = picture.find("{http://www.w3.org/2000/svg}title")
    assert title is not None
    assert title.text == "Rate & cost: Gradus, local wall 40 /s, other 0.5 /s"


def test_a_longer_bar_stands_for_a_larger_figure() -> None:
    picture = ET.fromstring(bars([("Rate", {"Gradus": 40.0, "other": 0.5}, "/s")]))
    widths = [float(r.get("width", "0")) for r in picture.iter("{http://www.w3.org/2000/svg}rect")]
    assert widths[0] > widths[1] > 0
