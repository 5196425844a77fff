#!/usr/bin/env bash
# Renders a release as a Slurm job array, one shard a task, without Ray.
#
# Start    from the repository on a file system that all nodes see, after `make setup-render` there, with the options
#          of `mvhm render`:
#              sbatch --array=0-249 render_farm/starters/slurm-array.sh --release mvhm --out /shared/releases
#          (--array=0-249%100 keeps 100 of them running at a time; OFFSET=1000 in the environment makes task 0 shard
#          1000, where MaxArraySize is smaller than the release.)
# Edit     the lines below for your partition, cores, memory (about 1 GB a core) and time limit.
#          `--scratch "$TMPDIR"` at the end of the render line keeps unfinished samples off the shared file system; in a
#          folder that is wiped when the job ends, they are lost when the task is requeued.
# Leaves   OUT/RELEASE/shard-*.h5 and what belongs to them, and mvhm-JOB_TASK.log in the folder it was started from.
#          A task that meets the time limit or is preempted goes on from its finished samples when it runs again.
# Ends     0 COMPLETED; wrong input (2) FAILED at once, without another try; a full disk or a shard that a live process
#          is at (75) is requeued after PAUSE seconds (60); a crash or samples set aside (1) is requeued until Slurm has
#          restarted the task TRIES times (3). `scancel` keeps what is finished, and nothing is requeued.
#SBATCH --job-name=mvhm
#SBATCH --array=0-249
#SBATCH --ntasks=1
#SBATCH --cpus-per-task=8
#SBATCH --mem-per-cpu=1500M
#SBATCH --time=04:00:00
#SBATCH --requeue
#SBATCH --signal=B:USR1@120
#SBATCH --open-mode=append
#SBATCH --output=mvhm-%A_%a.log
set -u
python=${PYTHON:-.venv/bin/python} tries=${TRIES:-3} pause=${PAUSE:-60}
shard=$((SLURM_ARRAY_TASK_ID + ${OFFSET:-0}))
task=${SLURM_ARRAY_JOB_ID}_${SLURM_ARRAY_TASK_ID}
if (($(nproc) > ${SLURM_CPUS_ON_NODE:-0})); then
    echo "warning: Slurm does not confine its jobs to their cores here: two tasks on a node share the same ones" >&2
fi

# USR1 comes before the time limit: requeue. TERM comes from scancel, or with a preemption, which requeues by itself.
limit='' ending=''
trap 'limit=1; kill -TERM "$child" 2>/dev/null' USR1
trap 'ending=1; kill -TERM "$child" 2>/dev/null' TERM

"$python" -m render_farm render --shard "$shard" "$@" &
child=$!
wait "$child"
while kill -0 "$child" 2>/dev/null; do wait "$child"; done # a signal has ended the first wait
wait "$child" # ended: the shell remembers its exit code
code=$?
echo "shard $shard: exit code $code" >&2

if [[ -n $ending ]]; then
    exit "$code"
elif [[ -n $limit ]]; then
    scontrol requeue "$task"
elif ((code == 75)); then
    sleep "$pause"
    scontrol requeue "$task"
elif ((code != 0 && code != 2 && ${SLURM_RESTART_COUNT:-0} < tries)); then
    scontrol requeue "$task"
fi
exit "$code"
