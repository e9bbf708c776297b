#!/usr/bin/env bash
# Segment pictures: bash scripts/inference.sh CFG CKPT --imagepath FILE | --imagedir DIR [options of ssseg infer]
set -euo pipefail
if [[ $# -lt 2 ]]; then
    sed -n '2s/^# *//p' "$0" >&2
    exit 2
fi
CFG=$1 CKPT=$2
shift 2
exec "${PYTHON:-python}" -m ssseg.inference --cfgfilepath "$CFG" --ckptspath "$CKPT" "$@"
