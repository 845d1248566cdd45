#!/bin/bash
# Run on the login node: bash submit.sh
# One job for the scheduler and the command, then an array of workers that know its number.
set -euo pipefail
cd "$(dirname "$0")"
job=$(sbatch --parsable batch.sh)
job=${job%%;*} # some sites add the cluster's name
sbatch --array=1-20 --dependency="after:$job" workers.sh "$job"
