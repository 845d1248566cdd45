"""The files of docs/cluster.

The SLURM scripts run to their end on this machine, with stand-ins for `sbatch` and `srun`. Kubernetes' file and the
Dockerfile are checked against the commands and files that they name.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import batch_stub
import pytest
import yaml

from formcheck.cli.parser import parse

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "docs" / "cluster"
LIMIT_S = 400.0
JOB = "7"

SBATCH = """#!/bin/bash
# Starts the script at once, two tasks of an array; the number of the job is always the same.
tasks=1
for word in "$@"; do [[ $word == --array=* ]] && tasks=2; done
[[ $1 == --parsable ]] && echo "{job};cluster"
while [[ $1 == --* ]]; do echo "$1" >>"$STUB/options"; shift; done
for ((task = 0; task < tasks; task++)); do
    name=$(basename "$1" .sh).$task
    SLURM_JOB_ID={job} SLURM_CPUS_PER_TASK=1 setsid bash -c 'bash "$@"; echo $? >"$0"' "$STUB/$name.rc" "$@" \\
        >"$STUB/$name.log" 2>&1 </dev/null &
    echo $! >>"$STUB/pids"
done
""".replace("{job}", JOB)

FORMCHECK = """#!{python}
import sys
import batch_stub
from formcheck.batch import job
job.ANALYZE = batch_stub.ANALYZE
from formcheck.cli import main
sys.exit(main(sys.argv[1:]))
"""


def executable(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)


@pytest.fixture
def slurm(tmp_path: Path):
    """A folder that stands for the shared one, and the environment of the login node."""
    shared, stub = tmp_path / "shared", tmp_path / "stub"
    executable(stub / "bin" / "sbatch", SBATCH)
    executable(stub / "bin" / "srun", '#!/bin/bash\nexec "$@"\n')
    executable(shared / "venv/bin/python", f'#!/bin/bash\nexec {shlex.quote(sys.executable)} "$@"\n')
    executable(shared / "venv/bin/dask", f'#!/bin/bash\nexec {shlex.quote(sys.executable)} -m dask "$@"\n')
    executable(shared / "venv/bin/formcheck", FORMCHECK.format(python=sys.executable))
    for number in range(5):
        batch_stub.write(shared / "clips" / f"c{number}.mp4", reps=number, faults=1, sleep=0.2)
    environment = {
        **os.environ,
        "PATH": f"{stub / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}",
        "FORMCHECK_SHARED": str(shared),
        "STUB": str(stub),
        "TMPDIR": str(tmp_path),
    }
    yield shared, stub, environment
    pids = stub / "pids"
    for pid in pids.read_text().split() if pids.exists() else ():
        with contextlib.suppress(ProcessLookupError):
            os.killpg(int(pid), signal.SIGKILL)


def ended(stub: Path, *names: str) -> dict[str, str]:
    """Exit status of each script, once all have ended."""
    end_s = time.monotonic() + LIMIT_S
    while not all((stub / f"{name}.rc").exists() for name in names):
        logs = "\n".join(f"{path.name}:\n{path.read_text()[-3000:]}" for path in stub.glob("*.log"))
        assert time.monotonic() < end_s, logs
        time.sleep(0.2)
    return {name: (stub / f"{name}.rc").read_text().strip() for name in names}


@pytest.mark.slow
def test_slurm_scripts_bring_a_batch_to_its_end(slurm) -> None:
    shared, stub, environment = slurm
    gone = {"address": "tcp://127.0.0.1:9", "type": "Scheduler", "id": "Scheduler-0", "workers": {}, "services": {}}
    (shared / f"formcheck-{JOB}.json").write_text(json.dumps(gone))  # the same job, requeued, left it behind
    subprocess.run(["bash", str(EXAMPLES / "submit.sh")], env=environment, check=True, timeout=60)
    assert ended(stub, "batch.0", "workers.0", "workers.1") == {"batch.0": "0", "workers.0": "0", "workers.1": "0"}
    assert (stub / "options").read_text().split() == ["--parsable", "--array=1-20", f"--dependency=after:{JOB}"]
    rows = (shared / "results" / "summary.csv").read_text(encoding="utf-8").splitlines()
    assert len(rows) == 1 + 5
    assert len(list((shared / "results").glob("clips/*/done.json"))) == 5


@pytest.mark.parametrize("name", ["submit.sh", "batch.sh", "workers.sh"])
def test_shell_scripts_are_shell(name: str) -> None:
    subprocess.run(["bash", "-n", str(EXAMPLES / name)], check=True)
    lines = (EXAMPLES / name).read_text(encoding="utf-8").splitlines()
    assert lines[0] == "#!/bin/bash"
    options = [number for number, line in enumerate(lines) if line.startswith("#SBATCH")]
    first = next(number for number, line in enumerate(lines) if not line.startswith("#"))
    assert all(number < first for number in options), "SLURM reads no option after the first command"


def documents() -> list[dict]:
    return list(yaml.safe_load_all((EXAMPLES / "kubernetes.yaml").read_text(encoding="utf-8")))


def named(kind: str, name: str) -> dict:
    (found,) = [item for item in documents() if (item["kind"], item["metadata"]["name"]) == (kind, name)]
    return found["spec"]


def containers() -> list[dict]:
    specs = [item["spec"]["template"]["spec"] for item in documents() if "template" in item["spec"]]
    return [container for spec in specs for container in (*spec.get("initContainers", ()), *spec["containers"])]


def test_kubernetes_labels_names_and_ports_belong_together() -> None:
    service = named("Service", "formcheck-scheduler")
    for item in documents():
        if item["kind"] == "Deployment":
            labels = item["spec"]["template"]["metadata"]["labels"]
            assert item["spec"]["selector"]["matchLabels"] == labels
    scheduler = named("Deployment", "formcheck-scheduler")["template"]
    assert service["selector"] == scheduler["metadata"]["labels"]
    (container,) = scheduler["spec"]["containers"]
    (port,) = {entry["port"] for entry in service["ports"]}
    assert container["command"][container["command"].index("--port") + 1] == str(port)
    addresses = re.findall(r"tcp://[\w.-]+:\d+", (EXAMPLES / "kubernetes.yaml").read_text(encoding="utf-8"))
    assert addresses == [f"tcp://formcheck-scheduler:{port}"] * 3
    assert len({container["image"] for container in containers()}) == 1


def test_memory_of_a_kubernetes_worker_is_enough_for_its_threads() -> None:
    (worker,) = named("Deployment", "formcheck-workers")["template"]["spec"]["containers"]
    threads = int(worker["command"][worker["command"].index("--nthreads") + 1])
    assert worker["resources"]["limits"]["memory"] == "2Gi"
    assert 700 * threads + 300 <= 2048  # 300 for Dask's own process


def test_the_command_and_its_options_exist() -> None:
    (job,) = named("Job", "formcheck-batch")["template"]["spec"]["containers"]
    script = re.search(r"/formcheck\" (batch .*?) \|\|", (EXAMPLES / "batch.sh").read_text(), re.DOTALL)
    assert script
    for command in (job["command"][1:], shlex.split(script[1].replace("\\\n", ""))):
        args = parse(command)
        assert (args.resume, args.quiet, args.fail_on) == (True, True, "never")
        assert args.cluster


@pytest.mark.parametrize("part", ["scheduler", "worker"])
def test_dask_knows_the_options(part: str) -> None:
    known = subprocess.run([sys.executable, "-m", "dask", part, "--help"], capture_output=True, text=True, check=True)
    scripts = " ".join((EXAMPLES / name).read_text() for name in ("batch.sh", "workers.sh")).replace("\\\n", " ")
    lines = [line.partition(f'dask" {part} ')[2] for line in scripts.splitlines() if f'dask" {part} ' in line]
    lines += [" ".join(item["command"]) for item in containers() if item["command"][:2] == ["dask", part]]
    options = {option for line in lines for option in re.findall(r"(?<!\S)--[a-z-]+", line)}
    assert len(lines) == 2
    assert options
    assert all(re.search(rf"{option}\b", known.stdout) for option in options), options


def test_the_dockerfile_copies_what_the_package_is_built_from() -> None:
    text = (EXAMPLES / "Dockerfile").read_text(encoding="utf-8")
    copied = {source for line in re.findall(r"^COPY (.*)$", text, re.MULTILINE) for source in line.split()[:-1]}
    assert all((ROOT / source).exists() for source in copied)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    build = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    needed = {*build["packages"], *(Path(name).parts[0] for name in build["force-include"]), "pyproject.toml"}
    needed |= {project["project"]["readme"], *project["project"]["license-files"]}
    assert needed <= copied
    (extra,) = re.findall(r"/formcheck\[(\w+)\]", text)
    assert extra in project["project"]["optional-dependencies"]
    setup = (ROOT / "scripts" / "setup.sh").read_text(encoding="utf-8")
    libraries = re.findall(r'"lib[\w.+-]+\.so[.\d]*": "([\w.-]+)"', setup)
    assert libraries
    assert all(library in text for library in libraries)


def test_the_page_names_every_file() -> None:
    page = (ROOT / "docs" / "cluster.md").read_text(encoding="utf-8")
    assert all(f"(cluster/{path.name})" in page for path in EXAMPLES.iterdir())
