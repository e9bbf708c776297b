#!/usr/bin/env bash
# Test on one machine or several: bash scripts/dist_test.sh NGPUS CFG CKPT [options of ssseg test]
# Without a GPU it runs NGPUS processes on the CPU.
set -euo pipefail
if [[ $# -lt 3 ]]; then
    sed -n '2s/^# *//p' "$0" >&2
    exit 2
fi
NGPUS=$1 CFG=$2 CKPT=$3
shift 3
exec "${PYTHON:-python}" -m ssseg.cli.launch \
    --nproc_per_node "$NGPUS" --nnodes "${NNODES:-1}" --node_rank "${NODERANK:-0}" \
    --master_addr "${MASTERADDR:-127.0.0.1}" --master_port "${PORT:-8888}" \
    test --cfgfilepath "$CFG" --ckptspath "$CKPT" "$@"
