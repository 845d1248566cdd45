#!/bin/bash
# The scheduler and the command; submit.sh submits it.
#SBATCH --job-name=formcheck
#SBATCH --time=08:00:00
#SBATCH --cpus-per-task=1
#SBATCH --mem=2G
#SBATCH --requeue
set -euo pipefail
shared=${FORMCHECK_SHARED:-/shared} # a folder that all nodes see
bin=$shared/venv/bin
file=$shared/formcheck-$SLURM_JOB_ID.json # a name of its own: no worker finds the scheduler of another run
rm -f "$file"                             # a requeued job has the same number

"$bin/dask" scheduler --scheduler-file "$file" --port 0 --no-dashboard &
scheduler=$!
trap 'kill "$scheduler" 2>/dev/null || true' EXIT
until [ -s "$file" ]; do
    kill -0 "$scheduler" # ends this job when the scheduler did not start
    sleep 1
done
address=$("$bin/python" -c 'import json, sys; print(json.load(open(sys.argv[1]))["address"])' "$file")

# Workers may stand in SLURM's queue for hours, and formcheck waits for a minute only.
"$bin/python" -c 'import sys, distributed; distributed.Client(sys.argv[1]).wait_for_workers(1)' "$address"

status=0
"$bin/formcheck" batch "$shared/clips" --out "$shared/results" --cluster "$address" \
    --resume --quiet --fail-on never || status=$?
touch "$file.finished" # before the scheduler ends, so that the workers know that there is no more to come
exit "$status"
