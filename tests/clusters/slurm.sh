#!/usr/bin/env bash
# The recipe for Slurm of docs/CLUSTERS.md as it stands, on one machine: starts munge, slurmctld and
# slurmd with folders and ports of their own, submits the array and its merge, and compares what
# comes out with one run. Usage: slurm.sh BIN_DIR. As root; needs the Debian packages slurm-wlm and
# munge. Prints one line per check and "N passed, N failed".
set -u -o pipefail
# shellcheck source=tests/shell/checks.sh
. "$(dirname "${BASH_SOURCE[0]}")/../shell/checks.sh"
# shellcheck source=tests/shell/recipes.sh
. "$root/tests/shell/recipes.sh"
# shellcheck source=tests/shell/results.sh
. "$root/tests/shell/results.sh"

daemons=()
host=$(hostname -s)
folder=$work/slurm

stop() {
  local pid
  for pid in "${daemons[@]}"; do kill "$pid" 2>/dev/null; done
  for pid in "${daemons[@]}"; do wait "$pid" 2>/dev/null; done
  rm -rf "$work"
}
trap stop EXIT

# free_port: one that nobody listens on.
free_port() {
  local port
  for _ in {1..50}; do
    port=$((20000 + RANDOM % 30000))
    if ! (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then break; fi
  done
  echo "$port"
}

# wait_for SECONDS COMMAND...: until the command succeeds.
wait_for() {
  local left=$(($1 * 10))
  shift
  until "$@" >/dev/null 2>&1; do
    ((left-- > 0)) || return 1
    sleep 0.1
  done
}

write_settings() {
  mkdir -p "$folder"/{munge,state,spool}
  chmod 755 "$work" "$folder"
  head -c 1024 /dev/urandom >"$folder/munge/key"
  chmod 600 "$folder/munge/key"
  # Of the flags of a real cluster those that a single machine without cgroups can keep.
  cat >"$folder/slurm.conf" <<SETTINGS
ClusterName=glint
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$(free_port)
SlurmdPort=$(free_port)
AuthType=auth/munge
AuthInfo=socket=$folder/munge.socket
CredType=cred/munge
SlurmUser=root
SlurmdUser=root
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmdParameters=config_overrides
ReturnToService=2
SchedulerParameters=sched_interval=1,bf_interval=1
NodeName=$host NodeAddr=127.0.0.1 CPUs=2
PartitionName=all Nodes=$host Default=YES State=UP
SETTINGS
}

# start NAME COMMAND...: in the background, with a log.
start() {
  local name=$1
  shift
  "$@" >"$folder/$name.log" 2>&1 </dev/null &
  daemons+=($!)
}

is_idle() { [ "$(sinfo -h -o %t)" = idle ]; }
is_waiting() { [ "$(squeue -h -o %t)" = PD ]; }
is_done() { local queue && queue=$(squeue -h) && [ -z "$queue" ]; }

start_slurm() {
  export SLURM_CONF=$folder/slurm.conf
  write_settings
  start munged munged --foreground --force --key-file="$folder/munge/key" --socket="$folder/munge.socket" \
    --pid-file="$folder/munge/pid" --log-file="$folder/munge/log" --seed-file="$folder/munge/seed"
  check "munged answers" wait_for 20 munge -n -S "$folder/munge.socket"
  start slurmctld slurmctld -D
  check "slurmctld answers" wait_for 30 scontrol ping
  start slurmd slurmd -D -N "$host"
  check "the machine is a node that waits for work" wait_for 60 is_idle
}

test_recipe() {
  local number
  export PATH=$bin:$PATH
  make_pictures photos 6
  recipe "$root/docs/CLUSTERS.md" evaluate.sbatch >array.txt
  recipe "$root/docs/CLUSTERS.md" slurm >submit.sh
  mv array.txt evaluate.sbatch
  check "the document has both" test -s evaluate.sbatch -a -s submit.sh
  exits "one run" 0 glint-evaluate --gt_path photos --lrd 0.0002,0.0008 --json one.json
  cp stdout.txt one.txt
  exits "submit the array and its merge" 0 bash submit.sh
  check "all jobs end" wait_for 120 is_done
  for number in 1 2 3 4; do
    check "shard $number has its report" grep -q "^Shard $number/4: " "shards/$number.txt"
  done
  same_results "4 shards under Slurm" one.json all.json
  same_report "... and their report" one.txt all.txt
  check "no journal stays" test -z "$(compgen -G 'shards/*.journal')"
}

# A task that is requeued goes on: what its journal has is not done again.
test_requeue() {
  local job
  rm -rf shards all.json
  mkdir -p shards
  # Slow enough to be caught in the middle.
  sed -e 's/--array=1-4/--array=1-1/' -e 's/glint-evaluate/glint-evaluate --repeat 20/' evaluate.sbatch >slow.sbatch
  exits "one slow run" 0 glint-evaluate --repeat 2 --gt_path photos --lrd 0.0002,0.0008 --json one.json
  job=$(sbatch --parsable slow.sbatch)
  check "a slow task has begun its journal" wait_for 60 bash -c "[ \"\$(wc -l <shards/1.json.journal)\" -ge 3 ]"
  exits "it is requeued" 0 scontrol requeue "${job}_1"
  # Slurm gives a task that is requeued two minutes to end; one second is too little for it.
  check "... waits" wait_for 20 is_waiting
  check "... four seconds" scontrol update "JobId=${job}_1" StartTime=now+4
  check "it ends" wait_for 120 is_done
  check "it went on" grep -q 'journal: goes on after' shards/1.txt
  exits "its merge" 0 glint-evaluate --merge shards/1.json --json all.json
  same_results "... is the same" one.json all.json
}

start_slurm
test_recipe
test_requeue
if ((failed > 0)); then tail -n 20 "$folder"/*.log shards/*.txt; fi
count
