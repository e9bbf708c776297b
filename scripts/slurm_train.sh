#!/usr/bin/env bash
# Train under Slurm: bash scripts/slurm_train.sh PARTITION JOBNAME NGPUS CFG [options of ssseg train]
# From the environment: GPUSPERNODE (8), CPUSPERTASK (10), SRUNARGS; SIGUSR1 a minute before the limit saves the run.
set -euo pipefail
if [[ $# -lt 4 ]]; then
    sed -n '2s/^# *//p' "$0" >&2
    exit 2
fi
PARTITION=$1 JOBNAME=$2 NGPUS=$3 CFG=$4
shift 4
PERNODE=${GPUSPERNODE:-8}
PERNODE=$((NGPUS < PERNODE ? NGPUS : PERNODE))
# shellcheck disable=SC2086  # several arguments in one variable, as documented
exec srun --partition "$PARTITION" --job-name "$JOBNAME" --gres "gpu:$PERNODE" --ntasks "$NGPUS" \
    --ntasks-per-node "$PERNODE" --cpus-per-task "${CPUSPERTASK:-10}" --kill-on-bad-exit=1 --signal=USR1@60 \
    ${SRUNARGS:-${SRUNAGRS:-}} \
    "${PYTHON:-python}" -u -m ssseg.train --slurm --nproc_per_node "$PERNODE" --cfgfilepath "$CFG" "$@"
