//! Runs in, all of them trained out: several at a time, and as many commands at one queue as are started.

use super::Run;
use super::run::Progress;
use crate::interrupt;
use crate::outcome::Outcome;
use crate::terminal;
use crate::trainer::Ended;
use crate::training::{self, Own, Ready, Setting, Start};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// How long to wait before it is asked again whether another process has finished a run.
const PAUSE: Duration = Duration::from_secs(1);

/// A run, and the trainer to do it with.
#[derive(Clone, Debug)]
pub struct Job<'a> {
    /// The compiled variant.
    pub ready: &'a Ready,
    /// The run.
    pub run: Run,
}

/// How to work a queue off.
#[derive(Clone, Copy, Debug)]
pub struct Workers<'a> {
    /// What all runs share.
    pub setting: &'a Setting,
    /// How many runs at a time.
    pub num: usize,
}

/// What the workers share.
#[derive(Debug)]
struct Queue<'a> {
    waiting: Mutex<VecDeque<Job<'a>>>,
    /// Runs that were done in this sitting.
    num_done: Mutex<usize>,
    began: Instant,
    stopped: Arc<AtomicBool>,
    failed: AtomicBool,
}

impl Workers<'_> {
    /// Does all the jobs, in their order as far as there are workers. What has finished or diverged before is left as it is.
    pub fn work(self, jobs: Vec<Job<'_>>) -> anyhow::Result<Outcome> {
        let mut waiting = VecDeque::new();
        for job in jobs {
            if matches!(job.run.progress()?, Progress::New | Progress::Stopped) {
                waiting.push_back(job);
            }
        }
        if waiting.is_empty() {
            return Ok(Outcome::Fine);
        }
        let stopped = Arc::new(AtomicBool::new(false));
        let num_workers = self.num.min(waiting.len());
        let queue = Queue {
            waiting: Mutex::new(waiting),
            num_done: Mutex::new(0),
            began: Instant::now(),
            stopped: Arc::clone(&stopped),
            failed: AtomicBool::new(false),
        };
        let watch = interrupt::catch()?.watch(move |_| stopped.store(true, Ordering::Relaxed));
        let results: Vec<anyhow::Result<()>> = thread::scope(|scope| {
            let workers: Vec<_> = (0..num_workers).map(|_| scope.spawn(|| self.worker(&queue))).collect();
            let join = |worker: thread::ScopedJoinHandle<'_, anyhow::Result<()>>| {
                worker.join().unwrap_or_else(|_| Err(anyhow::anyhow!("a worker of the queue failed")))
            };
            workers.into_iter().map(join).collect()
        });
        watch.end();
        results.into_iter().collect::<anyhow::Result<()>>()?;
        Ok(if queue.stopped.load(Ordering::Relaxed) { Outcome::Interrupted } else { Outcome::Fine })
    }

    fn worker(self, queue: &Queue<'_>) -> anyhow::Result<()> {
        let mut num_held = 0;
        while let Some((job, num_waiting)) = queue.take() {
            if let Some(_claim) = job.run.claim()? {
                num_held = 0;
                let ended = self.train(queue, &job);
                if ended.is_err() {
                    queue.failed.store(true, Ordering::Relaxed);
                }
                ended?;
                continue;
            }
            if num_held == 0 {
                terminal::note(&format!("{} is being trained by another svc", job.run.name()));
            }
            num_held += 1;
            queue.put_back(job);
            if num_held > num_waiting {
                thread::sleep(PAUSE);
            }
        }
        Ok(())
    }

    fn train(self, queue: &Queue<'_>, job: &Job<'_>) -> anyhow::Result<()> {
        let Job { ready, run } = job;
        let start = match run.progress()? {
            // Another process has done it meanwhile.
            Progress::Finished | Progress::Diverged => return Ok(()),
            Progress::Stopped => Start::Resumed,
            Progress::New => Start::Fresh,
        };
        if start == Start::Fresh {
            run.clear()?;
        }
        terminal::note(&run.name());
        // A run that goes on knows its own seed and rate.
        let own = match start {
            Start::Resumed => Own { quiet: self.num > 1, ..Own::default() },
            Start::Fresh | Start::From(_) => Own {
                seed: Some(run.seed),
                lr_scale: Some(run.lr_scale),
                quiet: self.num > 1,
                ..Own::default()
            },
        };
        let began = Instant::now();
        match training::train((*ready).clone(), &run.folder, start, self.setting, own)? {
            Ended::Interrupted => queue.stopped.store(true, Ordering::Relaxed),
            Ended::Diverged => {
                run.mark_diverged()?;
                queue.done(&format!("{} diverged", run.name()));
            }
            Ended::Finished => {
                let loss = run.loss()?.unwrap_or(f64::NAN);
                let took = duration(began.elapsed());
                queue.done(&format!("{}: validation loss {loss:.4}, {took}", run.name()));
            }
        }
        Ok(())
    }
}

impl<'a> Queue<'a> {
    /// The next job, and how many wait behind it; `None` at the end, or once the work has been stopped.
    fn take(&self) -> Option<(Job<'a>, usize)> {
        if self.stopped.load(Ordering::Relaxed) || self.failed.load(Ordering::Relaxed) {
            return None;
        }
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let job = waiting.pop_front()?;
        Some((job, waiting.len()))
    }

    fn put_back(&self, job: Job<'a>) {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).push_back(job);
    }

    /// Says how a run ended, and how long the others will take.
    fn done(&self, line: &str) {
        let mut num_done = self.num_done.lock().unwrap_or_else(PoisonError::into_inner);
        *num_done += 1;
        let num_left = self.waiting.lock().unwrap_or_else(PoisonError::into_inner).len();
        if num_left == 0 {
            terminal::note(line);
            return;
        }
        let each = self.began.elapsed().as_secs_f64() / *num_done as f64;
        let left = Duration::from_secs_f64(each * num_left as f64);
        terminal::note(&format!("{line}; {num_left} left, about {}", duration(left)));
    }
}

/// "38 s", "5 min 3 s", "1 h 20 min".
fn duration(time: Duration) -> String {
    let seconds = time.as_secs();
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    match (hours, minutes) {
        (0, 0) => format!("{seconds} s"),
        (0, _) => format!("{minutes} min {} s", seconds % 60),
        _ => format!("{hours} h {minutes} min"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_short() {
        let shown = [38, 303, 4_800].map(|seconds| duration(Duration::from_secs(seconds)));
        assert_eq!(shown, ["38 s", "5 min 3 s", "1 h 20 min"]);
    }
}
