//! A store in, what is known of each process out. A thread of its own says that this process lives, and looks which others do, so that none waits
//! for a store that hangs, or for a process that computes.

use crate::ffi::{Store, TorchError};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// How often a process says that it lives.
const BEAT: Duration = Duration::from_millis(250);
/// One that has not said so for this long does not answer.
const STILL: Duration = Duration::from_secs(2);
/// How often what the thread has seen is looked at.
const GLANCE: Duration = Duration::from_millis(20);

/// What is known of another process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Known {
    /// It answers.
    Lives,
    /// It has lost others, too.
    HasLost,
    /// It has ended, and has said why.
    Ended(String),
    /// It does not answer.
    Silent,
}

/// This process's pulse, which ends with it.
#[derive(Debug)]
pub struct Pulse {
    rank: usize,
    /// The process that serves the store, if one of them does.
    server: Option<usize>,
    board: Arc<Mutex<Board>>,
}

/// What the thread has seen, and what it is to say.
#[derive(Debug)]
struct Board {
    others: BTreeMap<usize, Seen>,
    /// When the last look at the store began, and ended.
    looked: (Instant, Instant),
    /// Whether the store is gone.
    is_gone: bool,
    /// That this process ends, and why; empty: since it has lost others.
    word: Option<String>,
    /// Whether the word is in the store.
    is_said: bool,
    /// Whether there is nothing more to do.
    is_over: bool,
}

/// Another process.
#[derive(Clone, Debug)]
struct Seen {
    count: String,
    /// When that changed.
    changed: Instant,
    word: Option<String>,
}

impl Pulse {
    /// Says that process `rank` is there. All must have said so before [`Self::start`].
    pub fn first(store: &Store, rank: usize) -> Result<(), TorchError> {
        store.set(&key(rank), &said(0, None))
    }

    /// Begins to say so again and again, by a connection to the store that nothing else uses.
    pub fn start(store: Store, rank: usize, world: usize, server: Option<usize>) -> Self {
        let now = Instant::now();
        let seen = Seen { count: String::new(), changed: now, word: None };
        let others = (0..world).filter(|&other| other != rank).map(|other| (other, seen.clone()));
        let board = Board {
            others: others.collect(),
            looked: (now, now),
            is_gone: false,
            word: None,
            is_said: false,
            is_over: false,
        };
        let board = Arc::new(Mutex::new(board));
        let shared = Arc::clone(&board);
        // It is never waited for: if the store hangs, so does it.
        thread::spawn(move || beat(&store, rank, &shared));
        Self { rank, server, board }
    }

    /// Leaves word that this process ends, and why, and gives the others time to read it.
    pub fn end(&self, word: &str) {
        lock(&self.board).word.get_or_insert_with(|| word.to_owned());
        let began = Instant::now();
        while began.elapsed() < STILL {
            let is_done = {
                let board = lock(&self.board);
                board.is_said || board.is_gone
            };
            if is_done {
                break;
            }
            thread::sleep(GLANCE);
        }
        if self.server == Some(self.rank) {
            // The store ends with this process.
            thread::sleep(BEAT * 4);
        }
    }

    /// Says that this process has lost others, and asks them; the answer is there in about [`STILL`].
    pub fn ask(&self) -> Vec<(usize, Known)> {
        lock(&self.board).word.get_or_insert_with(String::new);
        let began = Instant::now();
        let mut base: Option<BTreeMap<usize, Seen>> = None;
        loop {
            let (known, others) = {
                let board = lock(&self.board);
                let known = self.known(&board, base.as_ref());
                // A count that was written before they were lost may be read after it.
                let is_fresh = board.looked.0 >= began;
                (known, is_fresh.then(|| board.others.clone()))
            };
            if base.is_none() {
                base = others;
            }
            let is_late = began.elapsed() > STILL * 2;
            if is_late || known.iter().all(|(_, known)| known.is_some()) {
                let lives = |known: Option<Known>| known.unwrap_or(Known::Lives);
                return known.into_iter().map(|(other, known)| (other, lives(known))).collect();
            }
            thread::sleep(GLANCE);
        }
    }

    /// What is known so far; `base` is what was there at the beginning of the question.
    fn known(&self, board: &Board, base: Option<&BTreeMap<usize, Seen>>) -> Vec<(usize, Option<Known>)> {
        let is_gone = board.is_gone || board.looked.1.elapsed() > STILL;
        let until = if is_gone { board.looked.1 } else { Instant::now() };
        let of = |(&other, seen): (&usize, &Seen)| {
            let has_moved =
                base.and_then(|base| base.get(&other)).is_some_and(|then| then.count != seen.count);
            let known = match &seen.word {
                Some(word) if word.is_empty() => Some(Known::HasLost),
                Some(word) => Some(Known::Ended(word.clone())),
                None if is_gone && self.server == Some(other) => Some(Known::Silent),
                None if until.saturating_duration_since(seen.changed) > STILL => Some(Known::Silent),
                None if has_moved || is_gone => Some(Known::Lives),
                None => None,
            };
            (other, known)
        };
        board.others.iter().map(of).collect()
    }
}

impl Drop for Pulse {
    fn drop(&mut self) {
        lock(&self.board).is_over = true;
    }
}

fn beat(store: &Store, rank: usize, board: &Mutex<Board>) {
    let keys: Vec<String> = lock(board).others.keys().map(|&other| key(other)).collect();
    for count in 1_u64.. {
        let began = Instant::now();
        let word = lock(board).word.clone();
        let told = store.set(&key(rank), &said(count, word.as_deref())).and_then(|()| store.get_all(&keys));
        let mut board = lock(board);
        let Ok(states) = told else {
            board.is_gone = true;
            return;
        };
        let now = Instant::now();
        for (seen, state) in board.others.values_mut().zip(&states) {
            let (count, word) = state.split_once(' ').map_or((state.as_str(), None), |(a, b)| (a, Some(b)));
            if seen.count != count {
                *seen = Seen { count: count.to_owned(), changed: now, word: None };
            }
            seen.word = word.map(str::to_owned);
        }
        board.looked = (began, now);
        board.is_said = word.is_some();
        if board.is_over {
            return;
        }
        drop(board);
        thread::sleep(BEAT);
    }
}

fn key(rank: usize) -> String {
    format!("pulse/{rank}")
}

fn said(count: u64, word: Option<&str>) -> String {
    word.map_or_else(|| count.to_string(), |word| format!("{count} {word}"))
}

/// Nothing that holds the lock panics.
fn lock(board: &Mutex<Board>) -> MutexGuard<'_, Board> {
    board.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ffi;

    const LOOPBACK: &str = "127.0.0.1";

    #[test]
    fn who_lives_who_ended_and_who_is_silent_is_told_apart() {
        ffi::quiet_c10d();
        let timeout = Duration::from_secs(20);
        let (served, port) = Store::serve(LOOPBACK, 0, timeout).unwrap();
        let connect = || Store::connect(LOOPBACK, port, timeout).unwrap();
        for rank in 0..4 {
            Pulse::first(&served, rank).unwrap();
        }
        // Process 3 has said once that it is there, and never again.
        let pulses: Vec<Pulse> = (0..3).map(|rank| Pulse::start(connect(), rank, 4, None)).collect();
        pulses[1].end("its disk is full");
        let known = pulses[0].ask();
        let words = Known::Ended("its disk is full".to_owned());
        assert_eq!(known, [(1, words), (2, Known::Lives), (3, Known::Silent)]);
    }

    #[test]
    fn a_server_that_is_gone_is_silent_and_the_others_are_not_blamed() {
        ffi::quiet_c10d();
        let timeout = Duration::from_secs(20);
        let (served, port) = Store::serve(LOOPBACK, 0, timeout).unwrap();
        let connect = || Store::connect(LOOPBACK, port, timeout).unwrap();
        for rank in 0..3 {
            Pulse::first(&served, rank).unwrap();
        }
        let pulses: Vec<Pulse> = (0..3).map(|rank| Pulse::start(connect(), rank, 3, Some(0))).collect();
        thread::sleep(BEAT * 3);
        drop(served);
        let known = pulses[1].ask();
        assert_eq!(known, [(0, Known::Silent), (2, Known::Lives)]);
    }
}
