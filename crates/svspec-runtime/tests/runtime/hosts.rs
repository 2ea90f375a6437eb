//! Two hosts on one machine: network namespaces with a cable between them. Where the system does not permit them, the test says so and is done.

use crate::program::trainer;
use crate::runs::{Folder, state_bytes, turn};
use crate::teams::{Team, finishes, spawned};
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Two namespaces, of this process alone; they go when the test does.
struct Hosts([String; 2]);

const ADDRESSES: [&str; 2] = ["10.213.77.1", "10.213.77.2"];

impl Hosts {
    /// `None`, after saying why, where the system does not permit them.
    fn new() -> Option<Self> {
        let id = std::process::id();
        let hosts = Self([format!("svspec-a-{id}"), format!("svspec-b-{id}")]);
        let [a, b] = &hosts.0;
        // An interface's name has 15 characters at most.
        let cable = [format!("sva{id}"), format!("svb{id}")];
        let mut commands = vec![
            format!("ip netns add {a}"),
            format!("ip netns add {b}"),
            format!("ip link add {} netns {a} type veth peer name {} netns {b}", cable[0], cable[1]),
        ];
        for ((host, end), address) in hosts.0.iter().zip(&cable).zip(ADDRESSES) {
            commands.push(format!("ip -n {host} link set {end} name eth0"));
            commands.push(format!("ip -n {host} addr add {address}/24 dev eth0"));
            commands.push(format!("ip -n {host} link set eth0 up"));
            commands.push(format!("ip -n {host} link set lo up"));
        }
        for command in commands {
            let mut words = command.split(' ');
            let output = Command::new(words.next().unwrap()).args(words).output();
            let why = match output {
                Ok(output) if output.status.success() => continue,
                Ok(output) => String::from_utf8_lossy(&output.stderr).into_owned(),
                Err(error) => error.to_string(),
            };
            eprintln!(
                "not tested, since this system permits no network namespaces: `{command}`: {}",
                why.trim()
            );
            return None;
        }
        Some(hosts)
    }

    fn start(&self, corpus: &Path, out: &Path, arguments: &[&str]) -> Team {
        let children = self.0.iter().enumerate().map(|(rank, host)| {
            let mut command = Command::new("ip");
            command.args(["netns", "exec", host]).arg(trainer());
            command.args(["--threads", "1", "--quiet", "--data"]).arg(corpus).arg("--out").arg(out);
            command.args(arguments).stderr(Stdio::piped());
            command.env("RANK", rank.to_string()).env("WORLD_SIZE", "2").env("LOCAL_WORLD_SIZE", "1");
            command.env("MASTER_ADDR", ADDRESSES[0]).env("MASTER_PORT", "29500");
            command.spawn().unwrap()
        });
        Team::of(children.collect())
    }

    /// What both have sent over the cable.
    fn bytes_sent(&self) -> u64 {
        let sent = self.0.iter().map(|host| {
            let path = "/sys/class/net/eth0/statistics/tx_bytes";
            let output = Command::new("ip").args(["netns", "exec", host, "cat", path]).output().unwrap();
            String::from_utf8(output.stdout).unwrap().trim().parse::<u64>().unwrap()
        });
        sent.sum()
    }

    fn cut(&self) {
        let cut = Command::new("ip").args(["-n", &self.0[1], "link", "set", "eth0", "down"]).status();
        assert!(cut.unwrap().success());
    }
}

impl Drop for Hosts {
    fn drop(&mut self) {
        for host in &self.0 {
            let _ = Command::new("ip").args(["netns", "del", host]).stderr(Stdio::null()).status();
        }
    }
}

/// The bytes that a row of `run` says each process sends.
fn said(run: &Path) -> u64 {
    let text = fs::read_to_string(run.join("metrics.jsonl")).unwrap();
    let mut rows = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    rows.find_map(|row| row.get("bytes_sent")?.as_u64()).unwrap()
}

#[test]
fn two_hosts_give_the_bits_of_one_and_send_the_bytes_that_are_said() {
    let _turn = turn();
    let folder = Folder::new("hosts");
    let Some(hosts) = Hosts::new() else { return };
    let corpus = folder.corpus();
    for state in ["whole", "sharded"] {
        let (one, two) = (folder.join(&format!("one-{state}")), folder.join(&format!("two-{state}")));
        let mut on_one_host = spawned("tiny", 2, &corpus, &one);
        on_one_host.args(["--optimizer-state", state]);
        finishes(on_one_host);
        // What a step sends is the difference of a long run and a short one: both begin and end alike.
        let mut sent = [0; 2];
        for (sent, steps) in sent.iter_mut().zip(["40", "20"]) {
            let out = if steps == "40" { two.clone() } else { folder.join(&format!("short-{state}")) };
            let before = hosts.bytes_sent();
            let mut team = hosts.start(&corpus, &out, &["--optimizer-state", state, "--steps", steps]);
            let ends = team.ends();
            assert!(ends.iter().all(|end| end.code == Some(0)), "{ends:?}");
            *sent = hosts.bytes_sent() - before;
        }
        assert!(state_bytes(&one) == state_bytes(&two));
        let measured = (sent[0] - sent[1]) as f64 / 20.0;
        let formula = 2.0 * said(&two) as f64;
        // Beside what is said, packets have headers, and are confirmed.
        let beside = measured / formula;
        eprintln!("{state}: {measured} bytes a step on the cable, {formula} by the formula");
        assert!((1.0..1.15).contains(&beside), "{measured} for {formula}");
    }
}

#[test]
fn a_cable_that_is_cut_ends_both_in_time() {
    let _turn = turn();
    let folder = Folder::new("cut-cable");
    let Some(hosts) = Hosts::new() else { return };
    let out = folder.join("run");
    let mut team = hosts.start(&folder.corpus(), &out, &["--steps", "100000", "--timeout", "4"]);
    team.wait_for_rows(&out, 20);
    hosts.cut();
    let began = Instant::now();
    let ends = team.ends();
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    for (end, other) in ends.iter().zip([1, 0]) {
        assert_eq!(end.code, Some(2), "{ends:?}");
        assert!(end.stderr.contains(&format!("process {other} does not answer")), "{ends:?}");
    }
    assert!(ends.iter().any(|end| end.stderr.contains("is left: go on with --resume")), "{ends:?}");
}
