#!/usr/bin/env bash
# Train on one machine or several: bash scripts/dist_train.sh NGPUS CFG [options of ssseg train]
# Without a GPU it runs NGPUS processes on the CPU.
set -euo pipefail
if [[ $# -lt 2 ]]; then
    sed -n '2s/^# *//p' "$0" >&2
    exit 2
fi
NGPUS=$1 CFG=$2
shift 2
exec "${PYTHON:-python}" -m ssseg.cli.launch \
    --nproc_per_node "$NGPUS" --nnodes "${NNODES:-1}" --node_rank "${NODERANK:-0}" \
    --master_addr "${MASTERADDR:-127.0.0.1}" --master_port "${PORT:-8888}" \
    train --cfgfilepath "$CFG" "$@"
