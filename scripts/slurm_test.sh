#!/usr/bin/env bash
# Test under Slurm: bash scripts/slurm_test.sh PARTITION JOBNAME NGPUS CFG CKPT [options of ssseg test]
# From the environment: GPUSPERNODE (8), CPUSPERTASK (10), SRUNARGS.
set -euo pipefail
if [[ $# -lt 5 ]]; then
    sed -n '2s/^# *//p' "$0" >&2
    exit 2
fi
PARTITION=$1 JOBNAME=$2 NGPUS=$3 CFG=$4 CKPT=$5
shift 5
PERNODE=${GPUSPERNODE:-8}
PERNODE=$((NGPUS < PERNODE ? NGPUS : PERNODE))
# shellcheck disable=SC2086  # several arguments in one variable, as documented
exec srun --partition "$PARTITION" --job-name "$JOBNAME" --gres "gpu:$PERNODE" --ntasks "$NGPUS" \
    --ntasks-per-node "$PERNODE" --cpus-per-task "${CPUSPERTASK:-10}" --kill-on-bad-exit=1 \
    ${SRUNARGS:-${SRUNAGRS:-}} \
    "${PYTHON:-python}" -u -m ssseg.test --slurm --nproc_per_node "$PERNODE" --cfgfilepath "$CFG" --ckptspath "$CKPT" "$@"
