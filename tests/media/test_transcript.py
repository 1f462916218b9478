"""Transcripts beside a clip: which file counts, and when each word is said."""

import json

import pytest
import srt
from hypothesis import given
from hypothesis import strategies as st

from mmmsba_plugin.media.transcript import MAX_WORDS, PARSERS, Word, read_transcript, words_in
from mmmsba_plugin.report.annotation_formats import write_srt
from mmmsba_plugin.report.writers import write_json, write_vtt
from mmmsba_plugin.segment import Segment
from mmmsba_plugin.testing import samples

from ..transcripts import put_ctm, put_srt, put_whisperx

#: As YouTube shows what it recognises: a line comes up word by word, and stays a while.
ROLLING = """WEBVTT
Kind: captions

00:00:00.500 --> 00:00:02.000 align:start position:0%
\x20
so<00:00:00.900><c> many</c><00:00:01.400><c> words</c>

00:00:02.000 --> 00:00:02.010 align:start position:0%
so many words
\x20

00:00:02.010 --> 00:00:03.000 align:start position:0%
so many words
again<00:00:02.500><c> and</c>
"""


def spoken(folder, suffix, text):
    """Return word, start and end of each word in a file beside a clip."""
    (folder / f"clip{suffix}").write_text(text, encoding="utf-8")
    words = read_transcript(folder / "clip.mp4")
    return [(w.text, round(w.start_s, 3), round(w.end_s, 3)) for w in words]


class TestFormats:
    def test_words_of_whisperx_have_their_times_and_confidence(self, tmp_path):
        put_whisperx(tmp_path / "clip.json", (0.2, 0.5, "not"), (0.6, 1.0, "guilty."), score=0.7)
        assert read_transcript(tmp_path / "clip.mp4") == (
            Word("not", 0.2, 0.5, 0.7),
            Word("guilty.", 0.6, 1.0, 0.7),
        )

    def test_words_that_whisperx_did_not_align_lie_between_their_neighbours(self, tmp_path):
        words = [
            {"word": "in", "start": 0.0, "end": 0.2},
            {"word": "19"},
            {"word": "84"},
            {"word": "we", "start": 0.6, "end": 0.8},
            {"word": "2"},
        ]
        text = json.dumps({"segments": [{"start": 0, "end": 1, "text": "…", "words": words}]})
        assert spoken(tmp_path, ".json", text) == [
            *[("in", 0.0, 0.2), ("19", 0.2, 0.4), ("84", 0.4, 0.6), ("we", 0.6, 0.8)],
            ("2", 0.8, 1.0),
        ]

    def test_a_segment_of_whisper_without_words_shares_its_time_by_letters(self, tmp_path):
        text = json.dumps({"segments": [{"start": 1, "end": 2, "text": " a bcd"}]})
        assert spoken(tmp_path, ".json", text) == [("a", 1.0, 1.25), ("bcd", 1.25, 2.0)]

    def test_rows_of_ctm_are_words(self, tmp_path):
        put_ctm(tmp_path / "clip.ctm", (0.5, 1.0, "yes"))
        assert read_transcript(tmp_path / "clip.mp4") == (Word("yes", 0.5, 1.0, None),)
        text = ";; comment\nclip 1 0.5 0.5 yes 0.25\nclip 1 x 0.5 no\n\n"
        (tmp_path / "clip.ctm").write_text(text)
        assert read_transcript(tmp_path / "clip.mp4") == (Word("yes", 0.5, 1.0, 0.25),)

    def test_a_cue_of_subrip_shares_its_time_by_letters_and_loses_its_markup(self, tmp_path):
        text = (
            "1\r\n00:00:01,000 --> 00:00:02,000\r\n{\\an8}<i>a</i>\r\n&amp;cd\r\n\r\n"
            "2\r\n00:00:03,000 --> 00:00:04,000\r\n\r\n"
            "3\r\n01:00:00,5 --> x\r\nno cue\r\n"
        )
        assert spoken(tmp_path, ".srt", text) == [("a", 1.0, 1.25), ("&cd", 1.25, 2.0)]

    def test_cues_are_those_that_an_independent_reader_finds(self, tmp_path):
        cues = [(0.5, 1.25, "one"), (1.5, 2.0, "two"), (3600.0, 3601.5, "three")]
        path = put_srt(tmp_path / "clip.srt", *cues)
        expected = [
            (cue.content, cue.start.total_seconds(), cue.end.total_seconds())
            for cue in srt.parse(path.read_text())
        ]
        words = read_transcript(tmp_path / "clip.mp4")
        assert (
            [(w.text, w.start_s, w.end_s) for w in words]
            == expected
            == [(text, start_s, end_s) for start_s, end_s, text in cues]
        )

    def test_rolling_captions_say_each_word_once_at_its_time_stamp(self, tmp_path):
        assert spoken(tmp_path, ".vtt", ROLLING) == [
            *[("so", 0.5, 0.9), ("many", 0.9, 1.4), ("words", 1.4, 2.0)],
            *[("again", 2.01, 2.5), ("and", 2.5, 3.0)],
        ]

    def test_notes_and_styles_of_webvtt_are_no_words(self, tmp_path):
        text = "WEBVTT\n\nNOTE a remark\n\n00:01.000 --> 00:02.000\n<v Ann>hi</v>\n\nNOTE end\n"
        assert spoken(tmp_path, ".vtt", text) == [("hi", 1.0, 2.0)]

    @pytest.mark.parametrize("suffix", PARSERS)
    @given(text=st.text(st.sampled_from('0123456789:.,->< \n\t{}[]"segmntworda\x00'), max_size=200))
    def test_no_text_makes_a_parser_fail(self, suffix, text):
        for word in PARSERS[suffix](text):
            assert isinstance(word, Word)


class TestSearch:
    def test_a_clip_without_a_transcript_has_no_words(self, tmp_path):
        assert read_transcript(tmp_path / "clip.mp4") == ()
        assert read_transcript("no\x00path.mp4") == ()

    def test_exact_times_of_words_go_before_those_of_cues(self, tmp_path):
        put_srt(tmp_path / "clip.srt", (0, 1, "cue"))
        put_ctm(tmp_path / "clip.ctm", (0, 1, "row"))
        assert [w.text for w in read_transcript(tmp_path / "clip.mp4")] == ["row"]
        put_whisperx(tmp_path / "clip.json", (0, 1, "aligned"))
        assert [w.text for w in read_transcript(tmp_path / "clip.mp4")] == ["aligned"]

    def test_it_can_lie_in_a_folder_of_its_own(self, tmp_path):
        put_srt(tmp_path / "texts/clip.srt", (0, 1, "there"))
        (word,) = read_transcript(tmp_path / "clip.mp4", folder=tmp_path / "texts")
        assert word.text == "there"

    @pytest.mark.parametrize("status", ["ok", "abstained"])
    def test_our_own_reports_are_no_transcripts(self, status, tmp_path):
        report = samples.report(status)
        for suffix, write in {".json": write_json, ".vtt": write_vtt}.items():
            with (tmp_path / f"clip{suffix}").open("w") as file:
                write(report, file)
        if status == "ok":
            with (tmp_path / "clip.srt").open("w") as file:
                write_srt(report, file)
        assert read_transcript(tmp_path / "clip.mp4") == ()

    @pytest.mark.parametrize("text", ["", "{", "[1, 2]", '{"segments": 3}', '{"segments": [[]]}'])
    def test_json_of_another_kind_is_no_transcript(self, text, tmp_path):
        assert spoken(tmp_path, ".json", text) == []
        put_srt(tmp_path / "clip.srt", (0, 1, "words"))
        assert [w.text for w in read_transcript(tmp_path / "clip.mp4")] == ["words"]

    def test_words_without_length_or_end_are_left_out(self, tmp_path):
        rows = "c 1 1.0 0.0 none\nc 1 -1 5 early\nc 1 0 inf endless\nc 1 nan 1 never\nc 1 2 1 one\n"
        assert spoken(tmp_path, ".ctm", rows) == [("one", 2.0, 3.0)]

    def test_one_that_cannot_be_read_costs_no_clip(self, tmp_path, caplog, monkeypatch):
        path = put_srt(tmp_path / "clip.srt", (0, 1, "words"))

        def refuse(*_, **__):
            raise PermissionError(13, "denied")

        monkeypatch.setattr(type(path), "read_text", refuse)
        assert read_transcript(tmp_path / "clip.mp4") == ()
        assert "clip.srt cannot be read" in caplog.text


class TestNames:
    WORDS = (Word("we", 0.0, 0.4), Word("do", 0.5, 0.9), Word("not", 1.0, 1.4))

    @pytest.mark.parametrize(
        ("span", "words"),
        [
            ((0.5, 0.9), "do"),
            ((0.7, 1.2), "do not"),  # half of each
            ((0.75, 1.1), None),  # less of each
            ((0.6, 0.65), "do"),  # inside a word
            ((0.9, 1.0), None),  # a pause
        ],
    )
    def test_a_word_is_in_a_segment_that_shares_half_of_the_shorter(self, span, words):
        assert words_in(self.WORDS, Segment(*span)) == words

    def test_of_many_words_the_first_are_shown(self):
        many = [Word(str(n), n, n + 1) for n in range(MAX_WORDS + 1)]
        assert words_in(many, Segment(0, MAX_WORDS)).split() == [str(n) for n in range(MAX_WORDS)]
        assert words_in(many, Segment(0, 99)).endswith(f"{MAX_WORDS - 1} …")
