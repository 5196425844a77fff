#!/usr/bin/env bash
# Runs the Ray farm inside one Slurm allocation: a head on its first node, one Ray node on each of the others.
#
# Start    from the repository on a file system that all nodes see, after `make setup-farm` there, with the options of
#          `mvhm farm`:
#              sbatch --nodes=8 render_farm/starters/slurm-ray.sh --release mvhm --shards 0-249 --out /shared/releases
# Edit     the lines below for your partition, cores, memory and time limit; one Ray node takes what a task has.
#          Rather than this, take slurm-array.sh where the queue likes small jobs better than large ones.
# Leaves   OUT/RELEASE/shard-*.h5 and what belongs to them, and mvhm-ray-JOB.log in the folder it was started from.
#          A job that meets the time limit is requeued and goes on from the finished samples. After `scancel`, which kills
#          all at once, Ray's logs stay in /tmp/mvhm-ray-JOB on the nodes.
# Ports    PORT (from the job's number) and seven after it, and 10100-10999, between the nodes of the job. A token that
#          only this job knows is required on all of them; it lies in a file of this folder that only you can read.
# Ends     as `render_farm farm`: 0 all shards are done, 1 some are not, 2 wrong input, 75 requeued.
#SBATCH --job-name=mvhm-ray
#SBATCH --nodes=4
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=16
#SBATCH --mem-per-cpu=1500M
#SBATCH --time=12:00:00
#SBATCH --requeue
#SBATCH --signal=B:USR1@180
#SBATCH --open-mode=append
#SBATCH --output=mvhm-ray-%j.log
set -u
bin=${BIN:-.venv/bin} pause=${PAUSE:-60} port=${PORT:-$((20000 + SLURM_JOB_ID % 1000 * 8))}
mapfile -t nodes < <(scontrol show hostnames "$SLURM_JOB_NODELIST")
address=${HEAD_IP:-$(getent ahostsv4 "${nodes[0]}" | awk 'NR == 1 {print $1}')}:$port

folder=/tmp/mvhm-ray-$SLURM_JOB_ID token=$PWD/.ray-token-$SLURM_JOB_ID
(umask 077 && od -An -N32 -tx1 /dev/urandom | tr -d ' \n' > "$token")
export RAY_AUTH_MODE=token RAY_AUTH_TOKEN_PATH=$token RAY_USAGE_STATS_ENABLED=0

srun=(srun --overlap --cpus-per-task="$SLURM_CPUS_PER_TASK")
ray=("$bin/ray" start --block --num-cpus="$SLURM_CPUS_PER_TASK" --object-store-memory=256000000 --temp-dir="$folder"
    --node-manager-port=$((port + 1)) --object-manager-port=$((port + 2)) --runtime-env-agent-port=$((port + 3))
    --dashboard-agent-grpc-port=$((port + 4)) --dashboard-agent-listen-port=$((port + 5))
    --metrics-export-port=$((port + 6)) --min-worker-port=10100 --max-worker-port=10999)
children=()
stop() { # all Ray nodes, and what they leave
    trap - EXIT
    rm -f "$token"
    kill -TERM "${children[@]}" 2>/dev/null
    wait
    "${srun[@]}" rm -rf "$folder"
}
trap stop EXIT
# USR1 comes before the time limit: requeue. TERM comes from scancel, or with a preemption, which requeues by itself.
farm='' limit='' ending=''
trap 'limit=1; kill -TERM $farm 2>/dev/null' USR1
trap 'ending=1; kill -TERM $farm 2>/dev/null || exit 75' TERM

"${srun[@]}" --nodes=1 --ntasks=1 --nodelist="${nodes[0]}" \
    "${ray[@]}" --head --node-ip-address="${address%:*}" --port="$port" --ray-client-server-port=$((port + 7)) \
    --include-dashboard=false &
children+=($!)
for ((i = 0; i < 60; i++)); do
    "$bin/ray" status --address "$address" > /dev/null 2>&1 && break
    sleep 2
done
if ((${#nodes[@]} > 1)); then
    "${srun[@]}" --nodes=$((${#nodes[@]} - 1)) --ntasks=$((${#nodes[@]} - 1)) --exclude="${nodes[0]}" \
        "${ray[@]}" --address="$address" &
    children+=($!)
fi

"$bin/python" -m render_farm farm --address "$address" "$@" &
farm=$!
wait "$farm"
while kill -0 "$farm" 2>/dev/null; do wait "$farm"; done # a signal has ended the first wait
wait "$farm" # ended: the shell remembers its exit code
code=$?
echo "farm: exit code $code" >&2
if [[ -z $ending ]] && { [[ -n $limit ]] || ((code == 75)); }; then
    [[ -n $limit ]] || sleep "$pause"
    stop
    scontrol requeue "$SLURM_JOB_ID"
fi
exit "$code"
