"""The video, and the plots beside it that follow it: a click in a plot, or a button, jumps to that moment.

Streamlit's own player jumps to whole seconds, and not twice to the same one; so a few lines of script in the page move
it. They load nothing.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Final

import streamlit as st

from formcheck.reports.plots import DARK, LIGHT, Palette
from formcheck.ui.worker import Results

HTML: Final = """
<div class="plots" role="img">
  <div class="wide"></div><div class="narrow"></div>
  <div class="head" hidden></div>
</div>
"""
CSS: Final = """
.plots { position: relative; cursor: crosshair; max-width: 60rem; COLOURS_LIGHT }
.plots.dark { COLOURS_DARK }
.plots svg { width: 100%; height: auto; display: block; }
.narrow { display: none; }
.head { position: absolute; top: 0; bottom: 0; width: 2px; background: currentColor; opacity: 0.75;
  pointer-events: none; }
@media (max-width: 700px) { .wide { display: none; } .narrow { display: block; } }
"""
JS: Final = r"""
export default function ({ parentElement, data }) {
  const plots = parentElement.querySelector(".plots");
  const head = plots.querySelector(".head");
  const video = () => document.querySelector("video[data-testid='stVideo']");
  plots.setAttribute("aria-label", data.label);
  for (const [name, svg] of [["wide", data.wide], ["narrow", data.narrow]]) {
    const place = plots.querySelector("." + name);
    if (place.dataset.svg !== data.key) { place.innerHTML = svg; place.dataset.svg = data.key; }
  }

  // A page can turn dark while it is open, of which the server hears with its next run.
  function colour() {
    const ink = getComputedStyle(plots).color.match(/[\d.]+/g);  // none once the plots have left the page
    if (ink) { plots.classList.toggle("dark", ink.slice(0, 3).reduce((sum, part) => sum + Number(part), 0) > 384); }
  }
  colour();
  const colouring = setInterval(colour, 500);

  // All plots share one time axis; the background of the widest says where it begins and ends on the screen.
  function axis() {
    const boxes = [...plots.querySelectorAll("path.background")].map((box) => box.getBoundingClientRect());
    const widest = boxes.reduce((one, other) => (other.width > one.width ? other : one), { width: 0 });
    return widest.width > 0 ? widest : null;
  }
  function show() {
    const found = video(), box = axis();
    head.hidden = !found || !box;
    if (head.hidden) { return; }
    const share = Math.min(found.currentTime / data.end_s, 1);
    head.style.left = box.left - plots.getBoundingClientRect().left + share * box.width + "px";
  }
  function jump(time_s) {
    const found = video();
    if (!found) { return false; }
    const move = () => { found.pause(); found.currentTime = time_s; };
    if (found.readyState > 0) { move(); } else { found.addEventListener("loadedmetadata", move, { once: true }); }
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    found.style.scrollMarginTop = "5rem";  // not under the bar at the top of the page
    found.scrollIntoView({ block: "nearest", behavior: calm ? "auto" : "smooth" });
    show();
    return true;
  }
  plots.onclick = (event) => {
    const box = axis();
    if (box) { jump(Math.min(Math.max((event.clientX - box.left) / box.width, 0), 1) * data.end_s); }
  };
  if (data.jump && window.formcheckJumped !== data.jump.id) {
    let tries = 0;
    const attempt = () => {
      if (jump(data.jump.time_s)) { window.formcheckJumped = data.jump.id; }
      else if (tries++ < 50) { setTimeout(attempt, 100); }
    };
    attempt();
  }

  let frame = requestAnimationFrame(function follow() { show(); frame = requestAnimationFrame(follow); });
  return () => { cancelAnimationFrame(frame); clearInterval(colouring); };
}
"""


def _colours(palette: Palette) -> str:
    """The colours of a palette as CSS variables."""
    return " ".join(f"--plot-{name}: {value};" for name, value in asdict(palette).items())


_plots = st.components.v2.component(
    "formcheck_plots",
    html=HTML,
    css=CSS.replace("COLOURS_LIGHT", _colours(LIGHT)).replace("COLOURS_DARK", _colours(DARK)),
    js=JS,
)


def show_video(results: Results) -> None:
    """The annotated video with the findings as captions."""
    # Text, not a path: Streamlit takes a path in `subtitles` for one too, but reads it under the name of the file.
    st.video(
        str(results.video),
        subtitles={"findings": results.captions.read_text(encoding="utf-8")},
        alt="Your clip with skeleton, joint angles and cues drawn in",
    )


def show_plots(results: Results, end_s: float, jump: tuple[int, float] | None) -> None:
    """The plots, linked to the video of this page.

    Parameters
    ----------
    results : Results
    end_s : float
        Time at the right end of the plots.
    jump : (int, float) or None
        A number that is new for each jump, and the time to jump to.
    """
    key = str(results.folder)
    _plots(
        key="plots",
        data={
            "key": key,
            "wide": _svg(results.chart(narrow=False)),
            "narrow": _svg(results.chart(narrow=True)),
            "end_s": end_s,
            "jump": {"id": f"{key}-{jump[0]}", "time_s": jump[1]} if jump is not None else None,
            "label": "The judged angles over time; the buttons beside each finding jump to the same moments",
        },
    )


def _svg(path: Path) -> str:
    """A plot whose colours are those of the page: each of a palette is used for one thing only."""
    svg = path.read_text(encoding="utf-8")
    for name, value in asdict(LIGHT).items():
        svg = svg.replace(f'"{value}"', f'"var(--plot-{name})"')
    return svg
