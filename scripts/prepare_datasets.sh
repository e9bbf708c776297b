#!/usr/bin/env bash
# Fetch a data set into the current directory: bash scripts/prepare_datasets.sh NAME [options of ssseg data prepare]
# NAME: ade20k lip pascalcontext cocostuff10k pascalvoc cityscapes atr chase_db1 cihp hrf drive stare nighttimedriving
#       darkzurich sbushadow supervisely vspw coco mhpv1 mhpv2 camvid
set -euo pipefail
if [[ $# -eq 0 || $1 == -h || $1 == --help ]]; then
    sed -n '2,4s/^# *//p' "$0"
    exit 0
fi
exec "${PYTHON:-python}" -m ssseg data prepare "$@"
