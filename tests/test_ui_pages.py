"""The pages, run by Streamlit's own test driver: no browser, and analyses that end at once."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import filmed
import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from formcheck.exercises import EXERCISES
from formcheck.history import History
from formcheck.reports.findings import findings_by_rule
from formcheck.rules import RULES
from formcheck.types import Analysis, Status
from formcheck.ui import library, result, samples, session, upload
from formcheck.ui.jobs import BusyError, Desk, Job, Stage, State
from formcheck.ui.worker import Results, placed, write_results
from formcheck.ui.workspace import Workspace

APP = Path(__file__).resolve().parent.parent / "app.py"


class InstantDesk(Desk):
    """Answers at once with an analysis made elsewhere, or with a refusal."""

    def __init__(self, analysis: Analysis | None, refusal: State | None = None, busy: bool = False) -> None:
        self.analysis, self.refusal, self.busy = analysis, refusal, busy
        self.asked: list[tuple[str, str | None, object]] = []

    def submit(self, job: Job, exercise: str | None, side: object) -> None:
        if self.busy:
            raise BusyError("Please try again in a minute.")
        self.asked.append((job.name, exercise, side))
        number = job.queued(exercise, side)  # type: ignore[arg-type]
        if self.refusal is not None and exercise is None:
            job._set(number, self.refusal)
            return
        assert self.analysis is not None
        shutil.copytree(results_of(self.analysis), job.results.folder, dirs_exist_ok=True)
        job._set(number, State(Stage.DONE, 1.0))


WRITTEN: dict[int, Path] = {}  # drawing the plots takes a second, so each analysis is written once


def results_of(analysis: Analysis) -> Path:
    if id(analysis) not in WRITTEN:
        results = Results(Path(tempfile.mkdtemp(prefix="formcheck-test-")))
        write_results(analysis, results)
        results.html.write_text("<!doctype html>")
        results.video.write_bytes(b"video")
        WRITTEN[id(analysis)] = results.folder
    return WRITTEN[id(analysis)]


@pytest.fixture(scope="module", autouse=True)
def _remove_written() -> Iterator[None]:
    yield
    for folder in WRITTEN.values():
        shutil.rmtree(folder)
    WRITTEN.clear()


def faulty() -> Analysis:
    found = (filmed.analysis(name) for name in filmed.CASES)
    return next(analysis for analysis in found if len(findings_by_rule(analysis.report)) >= 2)


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> InstantDesk:
    desk = InstantDesk(faulty())
    workspace = Workspace.make(tmp_path)
    monkeypatch.setattr(upload, "desk", lambda: desk)
    monkeypatch.setattr(result, "desk", lambda: desk)
    monkeypatch.setattr(session, "workspace", lambda: workspace)
    return desk


def opened(page: str = "upload", **query: str) -> AppTest:
    """The app with a page open, without an exception."""
    app = AppTest.from_function(_run, args=(page,), default_timeout=30)
    for name, value in query.items():
        app.query_params[name] = value
    return run(app)


def _run(page: str) -> None:
    from importlib import import_module

    import_module(f"formcheck.ui.{page}").page()


def run(app: AppTest) -> AppTest:
    app.run()
    assert not app.exception, app.exception
    return app


def words(app: AppTest) -> str:
    kinds = (app.markdown, app.subheader, app.caption, app.warning, app.info, app.title)
    return "\n".join(str(element.value) for kind in kinds for element in kind)


def button(app: AppTest, label: str):
    (found,) = [found for found in app.button if label in found.label]
    return found


def with_result(desk: InstantDesk) -> AppTest:
    app = opened()
    button(app, "toes not pointed").click()
    return run(app)


def test_the_app_starts_on_the_upload_page() -> None:
    app = AppTest.from_file(str(APP), default_timeout=30)
    assert run(app).title[0].value == "Check a video"


def _page_after_a_fragment_in_a_column() -> None:
    import streamlit as st
    from streamlit.delta_generator_singletons import context_dg_stack

    from formcheck.ui.app import main

    _, right = st.columns(2)
    context_dg_stack.set((*context_dg_stack.get(), right))  # as Streamlit leaves it
    main()


def test_the_page_is_drawn_at_the_top_also_after_a_fragments_run(desk: InstantDesk) -> None:
    app = run(AppTest.from_function(_page_after_a_fragment_in_a_column, default_timeout=30))
    assert app.title[0].value == "Check a video"
    assert not app.columns[1].children


def test_a_sample_opens_with_one_click_under_its_own_exercise(desk: InstantDesk) -> None:
    with_result(desk)
    assert desk.asked == [("02-prone-leg-curl-missing-plantarflexion.mp4", "prone-leg-curl", None)]


def test_findings_are_told_in_plain_words_with_a_button_for_each_moment(desk: InstantDesk) -> None:
    app = with_result(desk)
    report = faulty().report
    told = words(app)
    for finding in findings_by_rule(report):
        assert finding.worst.cue in told
        assert finding.worst.message in told
    moments = [found for found in app.button if (found.key or "").startswith("jump-")]
    findings = [o for o in report.outcomes if o.status in (Status.FAULT, Status.CAUTION)]
    assert len(moments) == len(findings)
    assert "it is no diagnosis" in told


def test_a_button_jumps_and_jumps_again(desk: InstantDesk) -> None:
    app = with_result(desk)
    moment = next(found for found in app.button if (found.key or "").startswith("jump-"))
    moment.click()
    run(app)
    first = app.session_state["jump"]
    next(found for found in app.button if found.key == moment.key).click()
    run(app)
    assert app.session_state["jump"] == (first[0] + 1, first[1])


def test_what_was_not_judged_is_said_with_its_reason(desk: InstantDesk) -> None:
    names = (name for name in filmed.CASES)
    desk.analysis = next(
        filmed.analysis(name)
        for name in names
        if any(o.status is Status.NOT_JUDGED for o in filmed.analysis(name).report.outcomes)
    )
    reasons = {o.reason for o in desk.analysis.report.outcomes if o.status is Status.NOT_JUDGED}
    told = words(with_result(desk)).replace("\\", "").lower()
    assert reasons
    assert all(reason.lower() in told for reason in reasons)


def test_an_unsure_clip_is_judged_as_what_the_person_says(desk: InstantDesk) -> None:
    desk.refusal = State(Stage.REFUSED, reason="this looks like a or b", candidates=("deadlift", "romanian-deadlift"))
    app = opened()
    app.file_uploader[0].upload("set.mp4", b"x", "video/mp4")
    run(app)
    assert desk.asked == [("set.mp4", None, None)]
    assert "Deadlift** or **Romanian deadlift" in words(app)
    chosen = next(box for box in app.selectbox if box.label == "Exercise in this clip")
    assert chosen.value == "deadlift"
    chosen.select("romanian-deadlift")
    run(app)
    button(app, "Check it as this").click()
    run(app)
    assert desk.asked[-1] == ("set.mp4", "romanian-deadlift", None)
    assert [found for found in app.button if (found.key or "").startswith("jump-")]


def test_a_clip_that_cannot_be_read_says_why(desk: InstantDesk) -> None:
    desk.refusal = State(Stage.REFUSED, reason="set.mp4: not a video; give an mp4 file")
    app = opened()
    app.file_uploader[0].upload("set.mp4", b"x", "video/mp4")
    told = words(run(app)).replace("\\", "")
    assert "not a video; give an mp4 file" in told
    assert "film again" in told


def test_an_upload_takes_the_choices_and_frees_the_memory(desk: InstantDesk) -> None:
    app = opened()
    next(box for box in app.selectbox if box.label == "Exercise").select("deadlift")
    run(app)
    app.file_uploader[0].upload("set <b>1</b>.mp4", b"x" * 1000, "video/mp4")
    run(app)
    assert desk.asked == [("b>.mp4", "deadlift", None)]
    assert app.file_uploader[0].value in (None, [])


def test_a_busy_machine_is_said_politely(desk: InstantDesk) -> None:
    desk.busy = True
    app = with_result(desk)
    assert "Please try again" in words(app)
    assert app.session_state["clips"].jobs == []


def test_several_clips_stand_side_by_side_and_can_be_removed(desk: InstantDesk) -> None:
    app = with_result(desk)
    button(app, "rounded lower back").click()
    run(app)
    assert len(app.session_state["clips"].jobs) == 2
    button(app, "Remove this clip").click()
    run(app)
    assert [job.name for job in app.session_state["clips"].jobs] == ["02-prone-leg-curl-missing-plantarflexion.mp4"]


def test_a_set_is_kept_in_the_history_when_the_person_wants_it(
    desk: InstantDesk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    app = with_result(desk)
    with History.open() as history:
        assert history.sessions() == ()
    app.number_input(key="weight").set_value(42.5)
    button(app, "Keep it").click()
    run(app)
    with History.open() as history:
        (session,) = history.sessions()
    assert (session.weight_kg, session.source) == (42.5, "file")
    assert [rep.number for rep in session.report.reps] == [rep.number for rep in faulty().report.reps]
    assert session.report.exercise == faulty().report.exercise
    assert f"/symptoms?session={session.id}" in "".join(element.value for element in app.success)


VTT = (
    "WEBVTT\n\n00:00:01.000 --> 00:00:04.000\nRepetition 1, fault: the toes were not pointed in the curl.\n"
    "Point them.\n\n00:00:05.000 --> 00:00:07.000\nThe end\n"
)


def filmed_at(size_px: tuple[int, int], *, feet_y: float) -> Analysis:
    analysis = faulty()
    points = np.full_like(analysis.track.image_px, 0.1)
    points[:, :, 1] = feet_y * size_px[1]
    return replace(analysis, track=replace(analysis.track, image_px=points, size_px=size_px))


def test_captions_stand_where_the_overlays_cue_does_not() -> None:
    assert placed(VTT, filmed_at((960, 540), feet_y=0.5)) == (
        "WEBVTT\n\n00:00:01.000 --> 00:00:04.000 line:4% position:98% align:end\n"
        "Repetition 1, fault: the toes were not\npointed in the curl.\nPoint them.\n\n"
        "00:00:05.000 --> 00:00:07.000 line:4% position:98% align:end\nThe end\n"
    )
    assert placed(VTT, filmed_at((960, 540), feet_y=0.95)) == VTT


def test_captions_fit_a_picture_held_upright() -> None:
    lines = placed(VTT, filmed_at((540, 960), feet_y=0.5)).splitlines()
    assert "00:00:05.000 --> 00:00:07.000 line:16%" in lines
    assert max(len(line) for line in lines if "-->" not in line) <= 21


def test_captions_without_findings_stay_a_valid_file() -> None:
    assert placed("WEBVTT\n", faulty()) == "WEBVTT\n"


def test_without_the_samples_the_page_says_so(desk: InstantDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(samples, "samples_folder", lambda: Path("nowhere"))
    assert "no sample clips" in words(opened())


def test_every_sample_has_a_title_of_its_own() -> None:
    found = samples.samples()
    assert len(found) >= 6
    assert all(sample.exercise in EXERCISES and sample.clip.is_file() for sample in found)
    assert len({sample.title for sample in found}) == len(found)


@pytest.mark.parametrize("name", [*EXERCISES, *RULES])
def test_library_opens_everything_by_its_address(name: str) -> None:
    app = opened("library", show=name)
    assert app.title[0].value == (EXERCISES[name].title if name in EXERCISES else RULES[name].title)


def test_library_finds_by_words() -> None:
    app = opened("library")
    app.text_input[0].input("toes curl")
    told = words(run(app))
    assert "Prone leg curl" in told
    assert "Toes not pointed" in told
    assert "Good morning" not in told
    app.text_input[0].input("zebra")
    assert "Nothing was found" in words(run(app))


def test_library_says_when_an_address_is_wrong() -> None:
    assert "nothing here called" in words(opened("library", show="<script>"))


@pytest.mark.parametrize("exercise", EXERCISES.values(), ids=lambda exercise: exercise.id)
def test_every_exercise_has_its_pictures(exercise) -> None:
    picture, drawing = library.picture_of(exercise), library.camera_drawing(exercise)
    assert picture.read_bytes()[:3] == b"\xff\xd8\xff"  # a JPEG
    assert picture.stat().st_size <= 40_000
    assert drawing.read_text(encoding="utf-8").startswith("<svg ")
