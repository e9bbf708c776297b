#!/usr/bin/env bash
# Test on Azure ML, on each machine: bash scripts/aml_test.sh NGPUS_PER_NODE CFG CKPT [options of ssseg test]
# From the environment: NODE_COUNT (1), RANK of this machine (0), MASTER_ADDR (node-0 among several), MASTER_PORT (8888).
set -euo pipefail
export NNODES=${NODE_COUNT:-1} NODERANK=${RANK:-0} PORT=${MASTER_PORT:-8888}
MASTERADDR=${MASTER_ADDR:-$([[ $NNODES == 1 ]] && echo 127.0.0.1 || echo node-0)}
export MASTERADDR
exec bash "$(dirname "$0")/dist_test.sh" "$@"
