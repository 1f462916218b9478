"""No more of a clip is kept than may be."""

import pytest

from .client import clips_in, serving

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])


@pytest.mark.parametrize("is_length_stated", [True, False])
def test_a_clip_that_is_too_large_is_refused_and_not_kept(detector, temporary, is_length_stated):
    body = bytes(200_000)
    chunks = body if is_length_stated else (body[at : at + 1000] for at in range(0, 200_000, 1000))
    with serving(detector, max_bytes=100_000) as client:
        answer = client.post("/jobs", content=chunks)
        assert answer.status_code == 413
        assert "100000 bytes" in answer.json()["detail"]
        assert client.get("/health").json()["waiting"] == 0
        assert clips_in(temporary) == []
