"""Label Studio asks for predictions, in the requests that its own code makes."""

import shutil

import httpx
import pytest

from mmmsba_plugin.adapters.labelstudio import routes

from ..service.client import serving

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])


@pytest.fixture
def media(clips, tmp_path):
    """Label Studio's folder of media, with a secret beside it."""
    folder = tmp_path / "media"
    shutil.copytree(clips, folder / "upload/1")
    (folder / "broken.mp4").write_bytes(bytes(100))
    (tmp_path / "secret.mp4").write_bytes(b"secret")
    (folder / "link.mp4").symlink_to(tmp_path / "secret.mp4")
    return folder


@pytest.fixture
def client(detector, media):
    with serving(detector, routes(media)) as client:
        yield client


def predict(client: httpx.Client, *addresses: str) -> httpx.Response:
    """Ask as ``make_predictions`` of Label Studio's ``ml/api_connector.py`` does."""
    request = {
        "tasks": [{"id": n, "data": {"video": address}} for n, address in enumerate(addresses)],
        "model_version": "",
        "project": "1.1700000000",
        "label_config": "<View/>",
        "params": {"login": None, "password": None, "context": None},
    }
    return client.post("/predict", json=request)


def test_it_is_up_and_names_its_version(client):
    assert client.get("/health").json()["status"] == "UP"
    # As ``setup`` there sends it.
    setup = {"project": "1.1", "schema": "<View/>", "hostname": "", "access_token": "t"}
    assert client.post("/setup", json=setup).json() == {"model_version": "halves"}


@pytest.mark.parametrize(
    "address",
    [
        "/data/upload/1/fake.mp4",
        "/data/local-files/?d=upload/1/fake.mp4",
        "http://elsewhere.example/data/upload/1/fake.mp4",
    ],
)
def test_a_fake_segment_is_a_region_of_the_time_line(client, address):
    answer = predict(client, address).json()
    (prediction,) = answer["results"]
    assert prediction["model_version"] == answer["model_version"] == "halves"
    assert prediction["score"] > 0.5
    fake, not_evaluated = prediction["result"]
    assert (fake["from_name"], fake["to_name"]) == ("timeline", "video")
    # At 25 frames a second, from 1, both within: 0.4 to 0.8 s.
    assert fake["value"] == {
        "ranges": [{"start": 11, "end": 20}],
        "timelinelabels": ["Fake video"],
    }
    assert not_evaluated["value"]["timelinelabels"] == ["Not evaluated"]


def test_every_task_has_a_prediction_in_its_order(client):
    tasks = ("/data/upload/1/real.mp4", "/data/broken.mp4", "/data/upload/1/fake.mp4")
    real, broken, fake = predict(client, *tasks).json()["results"]
    assert real["score"] < 0.5 < fake["score"]
    assert "score" not in broken
    (region,) = broken["result"]
    assert region["value"]["timelinelabels"] == ["Not evaluated"]


@pytest.mark.parametrize(
    "address",
    [
        "/data/../../secret.mp4",
        "/data/local-files/?d=../secret.mp4",
        "/data/link.mp4",
        "/data/gone.mp4",
        "file:///etc/passwd",
        "https://elsewhere.example/clip.mp4",
    ],
)
def test_nothing_is_read_outside_the_folder_or_fetched(client, address):
    answer = predict(client, address)
    assert answer.status_code == 404
    assert answer.json()["detail"] == f"there is no file below the folder for {address}"
