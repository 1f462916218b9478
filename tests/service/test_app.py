"""The service is for this machine alone, and leaves nothing behind."""

import pytest

from .client import send, serving

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])


def test_ending_it_while_it_works_leaves_no_file(slow, clips, temporary):
    with serving(slow.detector) as client:
        send(client, clips / "fake.mp4")
        send(client, clips / "real.mp4")
        slow.started.wait()
    assert list(temporary.iterdir()) == []


def test_a_page_of_another_site_cannot_pass_for_this_machine(detector):
    with serving(detector) as client:
        assert client.get("/health", headers={"host": "evil.example"}).status_code == 400


def test_its_interface_is_described_without_anything_from_elsewhere(detector):
    with serving(detector) as client:
        paths = client.get("/openapi.json").json()["paths"]
        assert paths["/jobs"]["post"].keys() >= {"requestBody", "responses"}
        assert [client.get(page).status_code for page in ("/docs", "/redoc")] == [404, 404]
