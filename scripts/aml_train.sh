#!/usr/bin/env bash
# Train on Azure ML, on each machine: bash scripts/aml_train.sh NGPUS_PER_NODE CFG [options of ssseg train]
# From the environment: NODE_COUNT (1), RANK of this machine (0), MASTER_ADDR (node-0 among several), MASTER_PORT (8888).
set -euo pipefail
export NNODES=${NODE_COUNT:-1} NODERANK=${RANK:-0} PORT=${MASTER_PORT:-8888}
MASTERADDR=${MASTER_ADDR:-$([[ $NNODES == 1 ]] && echo 127.0.0.1 || echo node-0)}
export MASTERADDR
exec bash "$(dirname "$0")/dist_train.sh" "$@"
