#!/bin/sh
# From a file to a dataset in seven calls. Needs a running gateway (`gristmill up`), curl, and nothing else.
#   tests/examples/rest.sh FILE [URL]      writes dataset.jsonl into the working directory
set -eu
FILE=$1
API=${2:-http://127.0.0.1:8000}/api/v1
KEY=${GRISTMILL_API_KEY:+X-API-Key: $GRISTMILL_API_KEY}

call() { curl --silent --show-error --fail-with-body ${KEY:+--header "$KEY"} "$@"; }
field() { sed -n "s/.*\"$1\":\"\{0,1\}\([^\",}]*\).*/\1/p" | head -n 1; }

# 1. Is it there?
call "${API%/api/v1}/health" >/dev/null
# 2. A project, whose name must be free.
PROJECT=$(call "$API/projects" --json "{\"name\": \"rest $$ $(date +%s)\"}" | field alias)
# 3. A file.
call "$API/documents/upload" --form "project_id=$PROJECT" --form "files=@$FILE" >/dev/null
# 4. A dataset of it.
ASKED=$(call "$API/datasets/generate" --json "{\"project_id\": $PROJECT, \"entries\": 3}")
JOB=$(echo "$ASKED" | field job_id)
DATASET=$(echo "$ASKED" | field dataset_id)
# 5. Each call waits up to 30 seconds for the job to change.
STATUS=pending
until [ "$STATUS" = completed ]; do
    SAID=$(call "$API/jobs/$JOB/poll?timeout=30&current_status=$STATUS")
    STATUS=$(echo "$SAID" | sed 's/"result":.*//' | field status)
    case $STATUS in failed | cancelled) echo "$SAID" >&2; exit 1 ;; esac
done
# 6. Its entries, with their evidence.
call "$API/datasets/$DATASET/entries?per_page=1"
echo
# 7. All of them, as a file.
call "$API/datasets/$DATASET/download?format=jsonl" --output dataset.jsonl
