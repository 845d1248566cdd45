"""Which clips a batch takes, what their results are called, and manifests."""

from __future__ import annotations

import os
from pathlib import Path

import fsspec
import pytest

from formcheck.batch import storage
from formcheck.batch.clips import Clip, find_clips, merge
from formcheck.batch.manifest import read_manifest
from formcheck.errors import ClipError, ConfigError
from formcheck.types import Side


def touch(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"video")


@pytest.fixture
def find(tmp_path):
    warnings: list[str] = []

    def call(*sources, out="/nowhere"):
        found = find_clips([str(source) for source in sources], str(out), warnings.append)
        return [os.path.relpath(clip, tmp_path) for clip in found]

    call.warnings = warnings
    return call


class TestFinding:
    def test_a_folder_gives_every_video_below_and_nothing_else(self, tmp_path, find):
        touch(tmp_path / "a.mp4", tmp_path / "sub" / "deep" / "B.MOV", tmp_path / "sub" / "c.mkv")
        touch(tmp_path / "notes.txt", tmp_path / "._a.mp4", tmp_path / ".trash" / "old.mp4")
        assert find(tmp_path) == ["a.mp4", "sub/c.mkv", "sub/deep/B.MOV"]

    def test_several_sources_give_each_clip_once_in_one_order(self, tmp_path, find):
        touch(tmp_path / "a" / "x.mp4", tmp_path / "b" / "y.mp4")
        expected = ["a/x.mp4", "b/y.mp4"]
        assert find(tmp_path / "b", tmp_path / "a", tmp_path / "a" / "x.mp4", tmp_path / "a" / ".." / "b") == expected

    def test_patterns(self, tmp_path, find):
        touch(
            tmp_path / "a1.mp4", tmp_path / "a2.mp4", tmp_path / "b.mp4", tmp_path / "s" / "a3.mp4", tmp_path / "a.txt"
        )
        assert find(tmp_path / "a*.mp4") == ["a1.mp4", "a2.mp4"]
        assert find(tmp_path / "**" / "a?.mp4") == ["a1.mp4", "a2.mp4", "s/a3.mp4"]
        assert find(tmp_path / "a*") == ["a1.mp4", "a2.mp4"]

    def test_a_name_that_looks_like_a_pattern_is_a_name_when_it_exists(self, tmp_path, find):
        touch(tmp_path / "clip[1].mp4", tmp_path / "clip1.mp4")
        assert find(tmp_path / "clip[1].mp4") == ["clip[1].mp4"]

    def test_the_results_are_never_taken_for_clips(self, tmp_path, find):
        out = tmp_path / "out"
        touch(tmp_path / "a.mp4", out / "clips" / "a-1" / "a.overlay.mp4", tmp_path / "outside.mp4")
        assert find(tmp_path, out=out) == ["a.mp4", "outside.mp4"]

    def test_links_to_folders_are_followed_once(self, tmp_path, find):
        touch(tmp_path / "data" / "a.mp4")
        (tmp_path / "work").mkdir()
        (tmp_path / "work" / "link").symlink_to(tmp_path / "data")
        (tmp_path / "data" / "loop").symlink_to(tmp_path / "data")
        assert find(tmp_path / "work") == ["work/link/a.mp4"]

    def test_a_missing_file_stays_in_the_list_so_that_it_gets_its_row(self, tmp_path, find):
        assert find(tmp_path / "gone.mp4") == ["gone.mp4"]

    @pytest.mark.parametrize("name", ["empty", "*.mp4"])
    def test_nothing_there_is_an_error_that_names_it(self, tmp_path, find, name):
        (tmp_path / "empty").mkdir()
        with pytest.raises(ConfigError, match="no clip is there; check the name"):
            find(tmp_path / name)

    def test_addresses_of_a_storage(self):
        memory = fsspec.filesystem("memory")
        for name in ("/lab/a.mp4", "/lab/s/b.mp4", "/lab/.x/c.mp4", "/lab/d.txt"):
            memory.pipe_file(name, b"video")
        try:
            assert find_clips(["memory://lab"], "memory://out", print) == [
                "memory:///lab/a.mp4",
                "memory:///lab/s/b.mp4",
            ]
            assert find_clips(["memory://lab/*.mp4"], "memory://out", print) == ["memory:///lab/a.mp4"]
            assert find_clips(["memory:///lab/a.mp4"], "memory://out", print) == ["memory:///lab/a.mp4"]
        finally:
            memory.rm("/lab", recursive=True)

    def test_a_file_address_is_a_path(self, tmp_path, find):
        touch(tmp_path / "a.mp4")
        assert find(f"file://{tmp_path}") == ["a.mp4"]

    @pytest.mark.parametrize(
        ("address", "text"),
        [("nostorage://x/a.mp4", "no storage is known for nostorage://"), ("adl://x/a.mp4", "cannot be read here yet")],
    )
    def test_a_storage_without_its_package_is_one_line(self, address, text):
        with pytest.raises(ConfigError, match=text) as error:
            find_clips([address], "/out", print)
        assert "\n" not in str(error.value)
        assert address in str(error.value)


class TestNames:
    def test_are_the_same_whatever_else_is_in_the_run(self):
        alone = merge(["/a/x.mp4"], [], Clip(""))
        among = merge(["/0/x.mp4", "/a/x.mp4", "/a/x.mov", "/b/x.mp4"], [], Clip(""))
        assert alone[0].name in {clip.name for clip in among}
        assert len({clip.name for clip in among}) == 4
        assert all(clip.stem == "x" for clip in among)

    def test_are_fixed_for_ever(self):
        # A change of this means that every earlier batch begins anew.
        assert Clip("/clips/squat.mp4").name == "squat-cd14d344be"
        assert Clip("/clips/squat.mp4", person=2).name != Clip("/clips/squat.mp4").name

    def test_do_not_hang_on_what_is_asked_of_the_clip(self):
        assert Clip("/a.mp4", "deadlift", Side.LEFT, None, "monday").name == Clip("/a.mp4").name

    @pytest.mark.parametrize(
        "name",
        ["x" * 240 + ".mp4", "ä" * 120 + ".mp4", ".hidden.mp4", "a\nb.mp4", "a\udcffb.mp4", "-rf.mp4", "a\\b.mp4"],
    )
    def test_are_good_file_names(self, name, tmp_path):
        clip = Clip(f"/clips/{name}")
        for made in (clip.name, f"{clip.stem}.overlay.mp4"):
            assert not made.startswith(".")
            assert len(made.encode()) <= 255
            (tmp_path / made).write_bytes(b"")


class TestMerging:
    def test_the_manifest_has_the_last_word_and_the_rest_comes_from_the_command(self):
        listed = [Clip("/a.mp4", "deadlift", None, None, "tired"), Clip("/c.mp4")]
        clips = merge(["/a.mp4", "/b.mp4"], listed, Clip("", "good-morning", Side.LEFT))
        assert clips == [
            Clip("/a.mp4", "deadlift", Side.LEFT, None, "tired"),
            Clip("/b.mp4", "good-morning", Side.LEFT),
            Clip("/c.mp4", "good-morning", Side.LEFT),
        ]

    def test_two_people_of_one_clip(self):
        clips = merge(["/a.mp4"], [Clip("/a.mp4", person=2), Clip("/a.mp4", person=1)], Clip(""))
        assert [clip.person for clip in clips] == [1, 2]

    def test_the_same_row_twice_is_one_clip_and_two_words_are_an_error(self):
        assert len(merge([], [Clip("/a.mp4"), Clip("/a.mp4")], Clip(""))) == 1
        with pytest.raises(ConfigError, match=r"/a\.mp4: the manifest names it twice"):
            merge([], [Clip("/a.mp4", "deadlift"), Clip("/a.mp4", "good-morning")], Clip(""))


class TestManifest:
    @pytest.fixture
    def read(self, tmp_path):
        def call(text: str | bytes):
            path = tmp_path / "clips.csv"
            path.write_bytes(text.encode() if isinstance(text, str) else text)
            return read_manifest(str(path))

        return call

    def test_every_column(self, read, tmp_path):
        text = 'path,exercise,side,person,label\na.mp4,rdl,left,2,"Monday, late"\n/abs/b.mp4,auto,auto,,\ns3://x/c.mp4,,,,\n'
        assert read(text) == [
            Clip(str(tmp_path / "a.mp4"), "romanian-deadlift", Side.LEFT, 2, "Monday, late"),
            Clip("/abs/b.mp4"),
            Clip("s3://x/c.mp4"),
        ]

    @pytest.mark.parametrize("text", ["\ufeffPath; Label\r\na.mp4;x\r\n\r\n", "path,label\na.mp4,x\n,\n"])
    def test_as_spreadsheets_write_it(self, read, tmp_path, text):
        assert read(text) == [Clip(str(tmp_path / "a.mp4"), label="x")]

    @pytest.mark.parametrize(
        ("text", "reason"),
        [
            ("path,excercise\na.mp4,rdl\n", "there is no column 'excercise'; did you mean 'exercise'"),
            ("exercise\nrdl\n", "has no column 'path'"),
            ("path,path\na,b\n", "names a column twice"),
            ("path\n", "names no clip"),
            ("", "has no column 'path'"),
            ("path,side\na.mp4,up\n", "line 2: side is 'up'"),
            ("path,person\na.mp4,0\n", "line 2: person is '0'"),
            (
                "path,exercise\na.mp4,\nb.mp4,deadlfit\n",
                "line 3: there is no exercise 'deadlfit'; try one of: deadlift",
            ),
            ("path,label\n,x\n", "line 2: the path is empty"),
            ("path,label\na,b,c\n", "line 2: more cells than columns"),
            (b"path\n\xff\xfe.mp4\n", "not UTF-8"),
        ],
    )
    def test_what_is_wrong_is_said_in_one_line(self, read, tmp_path, text, reason):
        with pytest.raises(ConfigError, match=reason) as error:
            read(text)
        assert str(error.value).startswith(str(tmp_path / "clips.csv"))
        assert "\n" not in str(error.value)

    def test_a_missing_manifest(self, tmp_path):
        with pytest.raises(ConfigError, match=r"gone\.csv: the manifest cannot be read"):
            read_manifest(str(tmp_path / "gone.csv"))

    def test_in_a_storage(self):
        memory = fsspec.filesystem("memory")
        memory.pipe_file("/lab/clips.csv", b"path\na.mp4\n")
        try:
            assert read_manifest("memory://lab/clips.csv") == [Clip("memory://lab/a.mp4")]
        finally:
            memory.rm("/lab", recursive=True)


class TestStorage:
    def test_a_stamp_changes_with_the_file_even_when_size_and_date_do_not(self, tmp_path):
        path = tmp_path / "a.mp4"
        path.write_bytes(b"one")
        state, before = path.stat(), storage.stamp(str(path))
        assert storage.stamp(str(path)) == before
        path.write_bytes(b"two")
        os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
        assert storage.stamp(str(path)) != before

    def test_a_missing_clip_is_a_clip_error_here_and_elsewhere(self, tmp_path):
        for address in (str(tmp_path / "gone.mp4"), "memory://gone.mp4"):
            with pytest.raises(ClipError, match="no such file"):
                storage.stamp(address)
