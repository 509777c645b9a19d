"""The consultant's words: formatted, and nothing but words."""

import pytest

from retention_kit.markdown import markdown_html


@pytest.mark.parametrize(
    ("written", "html"),
    [
        ("a **b**", "<p>a <strong>b</strong></p>"),
        ("# Title", "<h3>Title</h3>"),
        ("<script>x</script>", "<p>&lt;script&gt;x&lt;/script&gt;</p>"),
        ("[us](https://example.org)", "<p>us (https://example.org)</p>"),
        ("[us](javascript:x)", "<p>us</p>"),
        ("![a <b>](https://example.org/x.png)", "<p>a &lt;b&gt;</p>"),
        ("$5 and $9", "<p>$5 and $9</p>"),
    ],
)
def test_markdown_can_only_look_like_text(written: str, html: str) -> None:
    assert markdown_html(written).strip() == html
