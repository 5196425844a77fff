#!/usr/bin/env bash
# Renders shards one after another, each with all cores of this machine.
#
# Start    from the repository, after `make setup-render`, with the options of `mvhm render`:
#              render_farm/starters/loop.sh 0-249 --release mvhm --out /shared/releases
#          Started on several hosts with one shared OUT they divide the shards among them: one that another host is at
#          is passed over, and looked at again in the next round.
#              for host in node1 node2; do
#                  ssh "$host" 'cd mvhm && nohup render_farm/starters/loop.sh 0-249 --release mvhm \
#                      --out /shared/releases > "loop-$HOSTNAME.log" 2>&1 < /dev/null &'
#              done
# Edit     nothing. In the environment: TRIES (3), how often a shard that fails is tried; PAUSE (60), the seconds
#          between two rounds over the shards that are left; PYTHON (.venv/bin/python).
# Leaves   OUT/RELEASE/shard-*.h5 and what belongs to them. Ended at any time, by Ctrl-C, SIGTERM or a power cut, the
#          same command goes on from the samples that are finished.
# Exits    0 all shards are done; 1 some failed; 2 wrong input, at once; 75 told to end.
set -u
python=${PYTHON:-.venv/bin/python} tries=${TRIES:-3} pause=${PAUSE:-60}
if ! [[ ${1-} =~ ^([0-9]+)-([0-9]+)$ ]] || ((BASH_REMATCH[1] > BASH_REMATCH[2])); then
    echo "usage: $0 FIRST-LAST [options of render], such as: $0 0-249 --release mvhm --out /data" >&2
    exit 2
fi
mapfile -t left < <(seq "${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}")
shift

child='' ending=''
trap 'ending=1; [[ -n $child ]] && kill -TERM "$child" 2>/dev/null' TERM INT HUP

run() { # in the background, as a shell hears signals only while it waits
    "$@" &
    child=$!
    wait "$child"
    code=$?
    while [[ -n $ending ]] && kill -0 "$child" 2>/dev/null; do wait "$child"; done
    child=''
    [[ -z $ending ]] || exit 75
}

declare -A failures=()
failed=()
while ((${#left[@]})); do
    later=()
    for shard in "${left[@]}"; do
        run "$python" -m render_farm render --shard "$shard" "$@"
        case $code in
            0) ;;
            2) exit 2 ;;
            75) later+=("$shard") ;;
            *)
                failures[$shard]=$((${failures[$shard]-0} + 1))
                if ((failures[$shard] < tries)); then later+=("$shard"); else failed+=("$shard"); fi
                ;;
        esac
    done
    left=("${later[@]}")
    if ((${#left[@]})); then
        echo "shards left for another round: ${left[*]}" >&2
        run sleep "$pause"
    fi
done
if ((${#failed[@]})); then
    echo "shards that failed: ${failed[*]}" >&2
    exit 1
fi
