#!/bin/bash
# One worker for each task of the array; submit.sh submits it with the number of the batch's job.
#SBATCH --job-name=formcheck-workers
#SBATCH --time=08:00:00
#SBATCH --cpus-per-task=4
#SBATCH --mem=4G
set -euo pipefail
shared=${FORMCHECK_SHARED:-/shared}
file=$shared/formcheck-$1.json

# When the batch's job is requeued its scheduler is a new one, and the worker begins again with that.
until [ -e "$file.finished" ]; do
    if [ -s "$file" ]; then
        srun "$shared/venv/bin/dask" worker --scheduler-file "$file" --nworkers 1 --nthreads "$SLURM_CPUS_PER_TASK" \
            --no-dashboard --local-directory "${TMPDIR:-/tmp}" --death-timeout 60 || true
    fi
    sleep 2
done
