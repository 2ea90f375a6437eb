//! What else than `--nproc` starts processes: torchrun, which starts them again, too, and Slurm's variables.

use crate::program::trainer;
use crate::runs::{Folder, state_bytes, turn};
use crate::teams::{Team, finishes, spawned};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Long enough that a process is killed before the end.
const STEPS: [&str; 2] = ["--steps", "400"];

/// What `--nproc 2` comes to.
fn two(corpus: &Path, out: &Path) {
    let mut command = spawned("tiny", 2, corpus, out);
    command.args(STEPS);
    finishes(command);
}

/// torchrun, and where its Python finds PyTorch; `None`, after saying so, where it is not there.
fn torchrun() -> Option<Command> {
    let packages = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../.cache/parity/python");
    if !packages.join("torch/distributed/run.py").is_file() {
        eprintln!("not tested, since there is no PyTorch with a torchrun in {}", packages.display());
        return None;
    }
    let mut command = Command::new("python3");
    // The wheel's libraries find each other by names that all of them see.
    command.env("PYTHONPATH", packages).env("TORCH_USE_RTLD_GLOBAL", "1").env_remove("LD_LIBRARY_PATH");
    command.args(["-m", "torch.distributed.run", "--no-python", "--standalone"]);
    Some(command)
}

#[test]
fn torchrun_starts_processes_and_starts_them_again() {
    let _turn = turn();
    let folder = Folder::new("torchrun");
    let Some(mut command) = torchrun() else { return };
    let (corpus, whole, out) = (folder.corpus(), folder.join("whole"), folder.join("run"));
    two(&corpus, &whole);
    command.args(["--nproc-per-node", "2", "--max-restarts", "1"]).arg(trainer()).arg("--data").arg(&corpus);
    command.arg("--out").arg(&out).args(["--threads", "1", "--quiet", "--timeout", "30"]).args(STEPS);
    let mut team = Team::of(vec![command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()]);
    team.wait_for_rows(&out, 20);
    let workers = team.children(0);
    assert!(workers.len() >= 2, "{workers:?}");
    assert!(Command::new("kill").args(["-KILL", &workers[workers.len() - 1]]).status().unwrap().success());
    let end = team.end(0);
    assert_eq!(end.code, Some(0), "{end:?}");
    assert!(end.stderr.contains("does not answer"), "{end:?}");
    assert!(state_bytes(&out) == state_bytes(&whole));
}

#[test]
fn slurms_variables_start_processes_and_start_them_again() {
    let _turn = turn();
    let folder = Folder::new("slurm");
    let (corpus, whole, out) = (folder.corpus(), folder.join("whole"), folder.join("run"));
    two(&corpus, &whole);
    // A job whose port, by its number, is free.
    let port = |job: u32| 15_000 + (job * 7 + 1) % 20_000;
    let is_free = |job: &u32| TcpListener::bind(("127.0.0.1", port(*job) as u16)).is_ok();
    let first = std::process::id();
    let job = (first..first + 100).find(is_free).unwrap().to_string();
    let step = |restarts: u64| {
        let tasks = (0..2).map(|rank| {
            let mut command = Command::new(trainer());
            for (name, value) in [
                ("SLURM_JOB_ID", job.as_str()),
                ("SLURM_STEP_ID", "1"),
                ("SLURM_STEP_NUM_TASKS", "2"),
                ("SLURM_STEP_TASKS_PER_NODE", "2"),
                ("SLURM_STEP_NODELIST", "127.0.0.1"),
                ("SLURM_PROCID", &rank.to_string()),
                ("SLURM_LOCALID", &rank.to_string()),
                ("SLURM_NODEID", "0"),
            ] {
                command.env(name, value);
            }
            if restarts > 0 {
                command.env("SLURM_RESTART_COUNT", restarts.to_string());
            }
            command.arg("--data").arg(&corpus).arg("--out").arg(&out).args(["--threads", "1", "--quiet"]);
            command.args(["--timeout", "60"]).args(STEPS).stderr(Stdio::piped()).spawn().unwrap()
        });
        Team::of(tasks.collect())
    };
    let mut team = step(0);
    team.wait_for_rows(&out, 20);
    team.signal(0, "TERM");
    let ends = team.ends();
    assert!(ends.iter().all(|end| end.code == Some(130)), "{ends:?}");
    // The job is queued again.
    let ends = step(1).ends();
    assert!(ends.iter().all(|end| end.code == Some(0)), "{ends:?}");
    assert!(state_bytes(&out) == state_bytes(&whole));
}
