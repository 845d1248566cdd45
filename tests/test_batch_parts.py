"""The parts of a batch one by one: storage addresses, the folder's markers, progress, the page."""

from __future__ import annotations

import json
import math
import re
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser

import batch_stub
import fsspec
import pytest
from test_reports import make_outcome, make_report

from formcheck.batch import files, storage, task
from formcheck.batch.attempt import attempt
from formcheck.batch.clips import Clip
from formcheck.batch.files import LocalFiles, RemoteFiles, open_files
from formcheck.batch.index import clock, index_html
from formcheck.batch.job import Answer, BatchStopped, ClipResult, End, Job, tools_here
from formcheck.batch.progress import Meter
from formcheck.batch.store import Marker, Store
from formcheck.batch.summary import ClipRow
from formcheck.cli.batch import describe, duration
from formcheck.config import Settings
from formcheck.errors import ConfigError, OutputError
from formcheck.types import Status

JOB = Job(Settings(), None, tools_here(None), analyze=batch_stub.ANALYZE)


class Here:
    """A worker without a process of its own."""

    def __init__(self, before=lambda: None):
        self.tasks = []
        self.before = before

    def run(self, given, on_progress=None):
        self.tasks.append(given)
        self.before()
        return task.run(JOB, given, on_progress or (lambda *_: None))


@pytest.fixture
def memory():
    system = fsspec.filesystem("memory")
    system.store.clear()
    system.pseudo_dirs[:] = [""]
    yield system
    system.store.clear()
    system.pseudo_dirs[:] = [""]


class TestStorageAddresses:
    """Clips and results in a storage; memory:// stands for s3:// and gs://."""

    def test_a_clip_comes_from_there_and_its_results_go_there(self, memory, tmp_path):
        memory.pipe_file("/lab/a.mp4", b"reps=3 faults=1\n")
        store, worker = Store("memory://results"), Here()
        result = attempt(JOB, Clip("memory://lab/a.mp4"), store, worker, tmp_path)
        assert (result.end, result.reason) == (End.DONE, "")
        place = f"/results/clips/{result.clip.name}"
        assert {name.rsplit("/", 1)[-1] for name in memory.ls(place, detail=False)} == {
            "a.report.json",
            "a.angles.csv",
            "done.json",
        }
        report = json.loads(memory.cat_file(f"{place}/a.report.json"))
        assert report["clip"]["path"] == "memory://lab/a.mp4"
        assert len(report["reps"]) == 3
        assert list(tmp_path.iterdir()) == []

        assert attempt(JOB, result.clip, store, worker, tmp_path).end is End.KEPT
        assert len(worker.tasks) == 1
        memory.pipe_file("/lab/a.mp4", b"reps=1\n")
        assert attempt(JOB, result.clip, store, worker, tmp_path).end is End.DONE
        assert len(json.loads(memory.cat_file(f"{place}/a.report.json"))["reps"]) == 1

    def test_reasons_name_the_address_and_not_the_copy(self, memory, tmp_path):
        memory.pipe_file("/lab/a.mp4", b"error=broken\n")
        result = attempt(JOB, Clip("memory://lab/a.mp4"), Store("memory://results"), Here(), tmp_path)
        assert (result.end, result.reason) == (End.UNREADABLE, "memory://lab/a.mp4: broken; copy it again")

    def test_a_storage_that_does_not_answer_fails_the_clip_for_now(self, memory, tmp_path, monkeypatch):
        memory.pipe_file("/lab/a.mp4", b"reps=1\n")

        def refuse(*_):
            raise RuntimeError("503 Slow\nDown")

        monkeypatch.setattr(type(memory), "get_file", refuse)
        result = attempt(JOB, Clip("memory://lab/a.mp4"), Store("memory://results"), Here(), tmp_path)
        assert result.end is End.FAILED
        assert result.reason == "memory://lab/a.mp4: cannot be read (503 Slow Down); check the storage, then --resume"
        assert memory.ls("/results/clips", detail=False) == [] if memory.exists("/results/clips") else True

    def test_a_storage_that_takes_nothing_stops_the_batch(self, memory, tmp_path, monkeypatch):
        memory.pipe_file("/lab/a.mp4", b"reps=1\n")

        def refuse(*_):
            raise PermissionError("AccessDenied")

        monkeypatch.setattr(type(memory), "put_file", refuse)
        with pytest.raises(BatchStopped, match=r"memory://results/clips/.*cannot write it \(AccessDenied\)"):
            attempt(JOB, Clip("memory://lab/a.mp4"), Store("memory://results"), Here(), tmp_path)

    def test_the_folder_is_claimed_as_on_a_disk(self, memory):
        store = Store("memory://results")
        with store.claim(resume=False) as first:
            store.check_id(first)
            with pytest.raises(BatchStopped, match="does not see the batch's folder"):
                store.check_id("another")
        memory.pipe_file("/results/summary.csv", b"")
        with pytest.raises(ConfigError, match="add --resume"), store.claim(resume=False):
            pass
        with store.claim(resume=True) as second:
            assert second == first


class TestAttempt:
    def test_a_clip_that_changes_while_it_is_read_is_not_finished(self, tmp_path):
        clip, out = batch_stub.write(tmp_path / "a.mp4"), tmp_path / "out"
        store = Store(str(out))
        worker = Here(before=lambda: batch_stub.write(clip, reps=1, faults=1))
        result = attempt(JOB, Clip(str(clip)), store, worker, None)
        assert result.end is End.FAILED
        assert "it changed while it was read" in result.reason
        assert store.marker(result.clip.name) is None

    def test_what_a_worker_cannot_do_for_any_clip_stops_the_batch(self, tmp_path):
        clip = Clip(str(batch_stub.write(tmp_path / "a.mp4")))
        for end in (End.BROKEN, End.NO_SPACE):
            worker = Here()
            worker.run = lambda *_, end=end: Answer(end, "why")
            with pytest.raises(BatchStopped, match="why"):
                attempt(JOB, clip, Store(str(tmp_path / "out")), worker, None)

    def test_a_worker_that_dies_is_given_the_clip_once_more(self, tmp_path):
        clip = Clip(str(batch_stub.write(tmp_path / "a.mp4")))
        answers = [Answer(End.CRASHED, "gone"), Answer(End.CRASHED, "gone again")]
        worker = Here()
        worker.run = lambda *_: answers.pop(0)
        result = attempt(JOB, clip, Store(str(tmp_path / "out")), worker, None)
        assert (result.end, result.reason, answers) == (End.CRASHED, "gone again", [])

    def test_what_makes_another_result(self):
        clip = Clip("/a.mp4")
        same = JOB.fingerprint(clip)
        assert JOB.fingerprint(replace(clip, label="monday")) == same
        assert replace(JOB, time_limit_s=1.0).fingerprint(clip) == same
        changed = [
            JOB.fingerprint(replace(clip, exercise="deadlift")),
            JOB.fingerprint(replace(clip, person=2)),
            replace(JOB, settings=Settings(ignore=("locked-knees",))).fingerprint(clip),
            replace(JOB, tools=replace(JOB.tools, model_sha256="0")).fingerprint(clip),
            replace(JOB, tools=replace(JOB.tools, formcheck="9")).fingerprint(clip),
            replace(JOB, video=True).fingerprint(clip),
            replace(JOB, html=True).fingerprint(clip),
            replace(JOB, exports=("trc",)).fingerprint(clip),
        ]
        assert len({same, *changed}) == len(changed) + 1


class TestCommit:
    @pytest.mark.parametrize("stop", range(1, 12))
    def test_stopped_after_any_step_it_is_finished_or_done_again(self, tmp_path, monkeypatch, stop):
        """Every change to the folder is one step; whatever comes after the last one must not look finished wrongly."""
        store, name = Store(str(tmp_path / "out")), "clip-1"
        old, new = tmp_path / "old", tmp_path / "new"
        for folder, text, names in ((old, "old", ("a", "b", "c")), (new, "new!", ("a", "b", "d"))):
            folder.mkdir()
            for file in names:
                (folder / file).write_text(text)
        store.commit(name, old, Marker("clip", "1", "", "old"))

        class Killed(BaseException):
            pass

        steps = 0

        def step(usual):
            def changed(*arguments):
                nonlocal steps
                steps += 1
                if steps > stop:
                    raise Killed
                return usual(*arguments)

            return changed

        for method in ("put", "remove", "write"):
            monkeypatch.setattr(store.files, method, step(getattr(store.files, method)))
        try:
            store.commit(name, new, Marker("clip", "2", "", "new"))
            whole = True
        except Killed:
            whole = False
        marker = Store(str(tmp_path / "out")).marker(name)
        assert whole == (stop >= 6)  # the old marker, three files, one left over, the new marker
        if whole:
            assert marker is not None
            assert marker.fingerprint == "new"
            assert dict(marker.files) == {"a": 4, "b": 4, "d": 4}
            assert {path.name for path in (tmp_path / "out/clips/clip-1").iterdir()} == {"a", "b", "d", "done.json"}
        else:
            assert marker is None

    @pytest.mark.parametrize("kind", ["local", "remote"])
    def test_files(self, tmp_path, memory, kind):
        folder = open_files(str(tmp_path / "out") if kind == "local" else "memory://out")
        assert isinstance(folder, LocalFiles if kind == "local" else RemoteFiles)
        assert (folder.read("x/a"), folder.sizes("x"), folder.names()) == (None, {}, set())
        folder.write("x/a", b"12")
        (tmp_path / "b").write_bytes(b"345")
        folder.put(tmp_path / "b", "x/b")
        assert (folder.read("x/a"), folder.sizes("x"), folder.names()) == (b"12", {"a": 2, "b": 3}, {"x"})
        folder.remove("x/a")
        folder.remove("x/a")
        assert folder.sizes("x") == {"b": 3}

    def test_onto_another_disk(self, tmp_path, monkeypatch):
        monkeypatch.setattr(files, "_same_disk", lambda *_: False)
        source = tmp_path / "a"
        source.write_bytes(b"12")
        LocalFiles(tmp_path / "out").put(source, "x/a")
        assert [path.name for path in (tmp_path / "out/x").iterdir()] == ["a"]
        assert (tmp_path / "out/x/a").read_bytes() == b"12"

    def test_a_folder_that_cannot_be_made(self, tmp_path):
        (tmp_path / "file").write_text("")
        with pytest.raises(OutputError, match=r"file/x/a: cannot write it \(Not a directory\)"):
            LocalFiles(tmp_path / "file").write("x/a", b"")


class TestProgress:
    def test_rate_and_time_left(self):
        now = [0.0]
        clips = [Clip(f"/{n}.mp4") for n in range(5)]
        meter = Meter(dict(zip(clips, [100.0, 100.0, 100.0, 300.0, 0.0], strict=True)), clock=lambda: now[0])
        state = meter.state()
        assert (state.total, state.ended, state.share) == (5, 0, 0.0)
        assert math.isnan(state.left_s)
        assert describe(state) == "0 of 5 clips"
        meter.end(ClipResult(clips[0], End.KEPT))
        now[0] = 30.0
        meter.end(ClipResult(clips[1], End.DONE))
        meter.share(clips[2], 0.5)
        state = meter.state()
        # 720 in all, the clip of unknown size counting as a mean one; 100 kept, 150 done in 30 s, 470 to go
        assert state.share == pytest.approx(250 / 720)
        assert state.left_s == pytest.approx(470 * 30 / 150)
        assert state.clips_per_min == pytest.approx(2.0)
        assert describe(state) == "2 of 5 clips, 2 a minute, about 2 min left, 1 kept"
        for clip in clips[2:]:
            meter.end(ClipResult(clip, End.FAILED, "why"))
        assert describe(meter.state()) == "5 of 5 clips, 8 a minute, 1 kept, 3 failed"
        assert meter.state().share == pytest.approx(1.0)

    @pytest.mark.parametrize(
        ("value", "text"), [(0, "0 s"), (89.4, "89 s"), (600, "10 min"), (5400, "1 h 30 min"), (90000, "25 h 0 min")]
    )
    def test_duration(self, value, text):
        assert duration(value) == text


EVIL = "<script>alert(1)</script>\"'&.mp4"


class Tags(HTMLParser):
    def __init__(self, page):
        super().__init__()
        self.tags = []
        self.links = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.links += [value for name, value in attrs if name in {"href", "src", "data-video"}]


class TestPage:
    @pytest.fixture
    def page(self):
        def row(path, status, **changes):
            outcomes = tuple(
                make_outcome(rep=n, status=status, reason="hidden" if status is Status.NOT_JUDGED else "")
                for n in (1, 2, 4)
            )
            clip = Clip(path, label=changes.get("label", ""))
            files = (f"{clip.stem}.report.json", f"{clip.stem}.overlay.mp4", f"{clip.stem}.trc")
            return ClipRow(clip, make_report(path, outcomes, warnings=()), "", files)

        return index_html(
            [
                row("/a/one.mp4", Status.FAULT, label=EVIL),
                row(f"/a/{EVIL}", Status.OK),
                row("/a/50% #1?.mp4", Status.NOT_JUDGED),
                ClipRow(Clip("/a/bad.mp4"), None, f"/a/bad.mp4: {EVIL}", ()),
            ]
        )

    def test_names_from_outside_are_escaped(self, page):
        tags = Tags(page)
        assert tags.tags.count("script") == 1
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page

    def test_every_clip_every_count_every_finding(self, page):
        assert Tags(page).tags.count("tbody") == 4
        for text in (
            "Soften your knees a little.",
            "reps 1\N{EN DASH}2, 4",
            "Not judged: locked-knees: hidden",
            "0:01.2",
        ):
            assert text in page, text
        assert re.findall(r'data-status="(\w+)" aria-pressed', page) == ["fault", "ok", "not_judged", "failed"]

    def test_links_lead_to_the_files_whatever_their_names(self, page):
        links = Tags(page).links
        code = Clip("/a/50% #1?.mp4").name.rpartition("-")[2]
        assert f"clips/50%25%20%231%3F-{code}/50%25%20%231%3F.overlay.mp4" in links
        assert all(not re.match(r"[a-z]+:|/", link) for link in links)

    def test_needs_nothing_from_elsewhere(self, page):
        assert "http" not in page.replace("http-equiv", "")
        assert "default-src 'none'" in page

    @pytest.mark.parametrize(("value", "text"), [(0, "0:00.0"), (59.96, "1:00.0"), (67.44, "1:07.4"), (math.nan, "")])
    def test_clock(self, value, text):
        assert clock(value) == text

    def test_a_file_name_that_is_no_text_does_no_harm(self):
        clip = Clip("/a/\udcff.mp4")
        index_html([ClipRow(clip, make_report(clip.address), "", ("_.report.json",))]).encode("utf-8")


def test_addresses_have_one_spelling(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert storage.canonical("a/../b.mp4") == str(tmp_path / "b.mp4")
    assert storage.canonical("file:///x/a.mp4") == "/x/a.mp4"
    assert storage.canonical("s3://lab/clips/") == "s3://lab/clips"
    assert storage.canonical("C:x.mp4") == str(tmp_path / "C:x.mp4")


@pytest.mark.skipif(sys.platform != "linux", reason="only glibc is asked to give memory back")
def test_memory_that_is_free_again_goes_back_to_the_system():
    """Blocks below one that stays: what the allocator keeps for later by itself."""
    code = (
        "import ctypes, pathlib\n"
        "from formcheck.adapters.release import give_back\n"
        "from formcheck.batch.worker import memory_mb\n"
        "libc = ctypes.CDLL(None)\n"
        "libc.malloc.restype, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]\n"
        "blocks = [libc.malloc(100_000) for _ in range(1000)]\n"
        "for block in blocks: ctypes.memset(block, 1, 100_000)\n"
        "for block in blocks[:-1]: libc.free(block)\n"
        "before = memory_mb()[0]\n"
        "give_back()\n"
        "print(before - memory_mb()[0])\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert float(ran.stdout) > 80
