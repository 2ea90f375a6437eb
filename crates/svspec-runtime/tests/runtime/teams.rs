//! The tests' trainer in several processes: started by `--nproc`, or one by one by the variables that torchrun sets.

use crate::program::trainer;
use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// How long a process may take to do what is waited for here.
const PATIENCE: Duration = Duration::from_secs(120);

/// How a process ended, with its standard error.
#[derive(Debug)]
pub struct End {
    pub code: Option<i32>,
    pub stderr: String,
}

/// `TINY=model tiny --nproc N`, one thread each.
pub fn spawned(model: &str, nproc: usize, corpus: &Path, out: &Path) -> Command {
    let mut command = Command::new(trainer());
    command.env("TINY", model).args(["--threads", "1", "--nproc", &nproc.to_string(), "--data"]).arg(corpus);
    command.arg("--out").arg(out).arg("--timeout").arg("60");
    command
}

/// Its standard output, after exit code 0.
pub fn finishes(mut command: Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Its standard error, after exit code 2.
pub fn fails(mut command: Command) -> String {
    let output = command.output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    stderr
}

/// Processes of one run; they go when the test does.
pub struct Team(Vec<Child>);

impl Team {
    /// A new run, by variables.
    pub fn start(world: usize, corpus: &Path, out: &Path, arguments: &[&str]) -> Self {
        Self::start_again(world, 0, corpus, out, arguments)
    }

    /// The same, started for the `attempt`-th time.
    pub fn start_again(world: usize, attempt: u64, corpus: &Path, out: &Path, arguments: &[&str]) -> Self {
        let variables = by_variables(world);
        let children = (0..world).map(|rank| {
            let mut command = begun(corpus, out);
            command.env("TORCHELASTIC_RESTART_COUNT", attempt.to_string()).args(arguments);
            variables(rank, &mut command);
            command.spawn().unwrap()
        });
        Self(children.collect())
    }

    /// Process `rank` alone of a new run of `world`.
    pub fn start_one(world: usize, rank: usize, corpus: &Path, out: &Path, arguments: &[&str]) -> Self {
        let mut command = begun(corpus, out);
        command.args(arguments);
        by_variables(world)(rank, &mut command);
        Self(vec![command.spawn().unwrap()])
    }

    /// A new run, each process with arguments of its own.
    pub fn start_each(
        world: usize,
        corpus: &Path,
        out: &Path,
        arguments: impl Fn(usize) -> Vec<String>,
    ) -> Self {
        let variables = by_variables(world);
        let children = (0..world).map(|rank| {
            let mut command = begun(corpus, out);
            command.args(arguments(rank));
            variables(rank, &mut command);
            command.spawn().unwrap()
        });
        Self(children.collect())
    }

    /// The run in `out` taken up.
    pub fn resume(world: usize, out: &Path) -> Self {
        let variables = by_variables(world);
        let children = (0..world).map(|rank| {
            let mut command = quiet();
            command.arg("--resume").arg(out);
            variables(rank, &mut command);
            command.spawn().unwrap()
        });
        Self(children.collect())
    }

    /// Processes that were started otherwise.
    pub fn of(children: Vec<Child>) -> Self {
        Self(children)
    }

    /// Waits until the run has written so many rows of steps.
    pub fn wait_for_rows(&mut self, out: &Path, num: usize) {
        let began = Instant::now();
        let written = || {
            let text = fs::read_to_string(out.join("metrics.jsonl")).unwrap_or_default();
            text.lines().filter(|line| line.contains("\"loss\"")).count()
        };
        while written() < num {
            for child in &mut self.0 {
                assert!(child.try_wait().unwrap().is_none(), "a process has ended too early");
            }
            assert!(began.elapsed() < PATIENCE, "no rows came");
            thread::sleep(Duration::from_millis(20));
        }
    }

    pub fn signal(&self, rank: usize, signal: &str) {
        let pid = self.0[rank].id().to_string();
        assert!(Command::new("kill").args([&format!("-{signal}"), &pid]).status().unwrap().success());
    }

    /// The numbers of the processes that `rank` has started, in their order.
    pub fn children(&self, rank: usize) -> Vec<String> {
        let pid = self.0[rank].id();
        let listed = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap();
        listed.split_whitespace().map(str::to_owned).collect()
    }

    /// How process `rank` ends.
    pub fn end(&mut self, rank: usize) -> End {
        let child = &mut self.0[rank];
        let began = Instant::now();
        while child.try_wait().unwrap().is_none() {
            assert!(began.elapsed() < PATIENCE, "process {rank} did not end");
            thread::sleep(Duration::from_millis(10));
        }
        let mut stderr = String::new();
        if let Some(mut piped) = child.stderr.take() {
            std::io::Read::read_to_string(&mut piped, &mut stderr).unwrap();
        }
        End { code: child.wait().unwrap().code(), stderr }
    }

    /// How all end.
    pub fn ends(&mut self) -> Vec<End> {
        (0..self.0.len()).map(|rank| self.end(rank)).collect()
    }
}

impl Drop for Team {
    fn drop(&mut self) {
        for child in &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn begun(corpus: &Path, out: &Path) -> Command {
    let mut command = quiet();
    command.arg("--data").arg(corpus).arg("--out").arg(out);
    command
}

fn quiet() -> Command {
    let mut command = Command::new(trainer());
    command.args(["--threads", "1", "--quiet", "--timeout", "20"]).stderr(Stdio::piped());
    command
}

/// What says to process `rank` that it is one of `world` on loopback.
fn by_variables(world: usize) -> impl Fn(usize, &mut Command) {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    move |rank, command| {
        command.env("RANK", rank.to_string()).env("WORLD_SIZE", world.to_string());
        command.env("MASTER_ADDR", "127.0.0.1").env("MASTER_PORT", port.to_string());
    }
}
