//! The environment in, this process's place among all of a run out: as torchrun, Slurm, or `--nproc` say it.

use std::time::Duration;

/// Where process 0 of one machine is met by the others.
const LOOPBACK: &str = "127.0.0.1";
/// Without a port of their own, Slurm's steps get one out of so many, from [`SLURM_PORTS`] on, by their job's number.
const NUM_SLURM_PORTS: u64 = 20_000;
const SLURM_PORTS: u64 = 15_000;
/// How long one process waits for another unless `--timeout` says otherwise: longer than a checkpoint takes.
pub const PATIENCE: Duration = Duration::from_secs(600);

/// One process among those of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its number, from 0.
    pub rank: usize,
    /// How many there are.
    pub world: usize,
    /// Its number on this machine.
    pub local_rank: usize,
    /// How many there are on this machine.
    pub local_world: usize,
    /// Where they meet.
    pub host: String,
    /// The port there.
    pub port: u16,
    /// Who serves the meeting.
    pub server: Server,
    /// The network interface at which the others reach this process, if it is said.
    pub interface: Option<String>,
    /// How often they have been started anew.
    pub attempt: u64,
    /// Whether what started them may do so again.
    pub may_restart: bool,
}

/// Who serves the store in which the processes find each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Server {
    /// What started them: torchrun, or `--nproc`.
    Launcher,
    /// Process 0.
    First,
}

/// Why a process does not know its place.
#[derive(Debug, thiserror::Error)]
pub enum LaunchError {
    /// A variable is missing beside another.
    #[error(
        "{there} is set and {missing} is not: torchrun and srun set both; to train in one process, unset {there}"
    )]
    Missing {
        /// The one that is set.
        there: &'static str,
        /// The one that is not.
        missing: &'static str,
    },
    /// A variable holds something else than a number that fits.
    #[error("{name} is `{value}`: {wanted}")]
    Value {
        /// The variable.
        name: &'static str,
        /// What it holds.
        value: String,
        /// What it should hold.
        wanted: String,
    },
    /// `--nproc` among processes that were started by something else.
    #[error(
        "--nproc {nproc} starts processes, and by its environment this one is of {world} that torchrun or Slurm has started: leave it out"
    )]
    Twice {
        /// What the command line says.
        nproc: usize,
        /// How many there are.
        world: usize,
    },
}

impl Place {
    /// The one process of a run.
    pub fn alone() -> Self {
        Self {
            rank: 0,
            world: 1,
            local_rank: 0,
            local_world: 1,
            host: LOOPBACK.to_owned(),
            port: 0,
            server: Server::First,
            interface: None,
            attempt: 0,
            may_restart: false,
        }
    }

    /// What the environment says, `None` if it says nothing.
    pub fn learn(variable: &dyn Fn(&str) -> Option<String>) -> Result<Option<Self>, LaunchError> {
        let read = Reader { variable };
        if read.text("RANK").is_some() || read.text("WORLD_SIZE").is_some() {
            return read.torchrun().map(Some);
        }
        match read.text("SLURM_PROCID").and_then(|_| read.slurm_world()) {
            Some(world) => read.slurm(&world).map(Some),
            None => Ok(None),
        }
    }
}

struct Reader<'a> {
    variable: &'a dyn Fn(&str) -> Option<String>,
}

impl Reader<'_> {
    fn text(&self, name: &str) -> Option<String> {
        (self.variable)(name).filter(|value| !value.is_empty())
    }

    /// torchrun's variables, or the same set by hand.
    fn torchrun(&self) -> Result<Place, LaunchError> {
        let (world, rank) = match (self.text("WORLD_SIZE"), self.text("RANK")) {
            (None, _) => return Err(LaunchError::Missing { there: "RANK", missing: "WORLD_SIZE" }),
            (_, None) => return Err(LaunchError::Missing { there: "WORLD_SIZE", missing: "RANK" }),
            (Some(world), Some(rank)) => {
                let world = positive("WORLD_SIZE", &world)?;
                (world, below("RANK", &rank, world)?)
            }
        };
        let local_world = match self.text("LOCAL_WORLD_SIZE") {
            Some(value) => positive("LOCAL_WORLD_SIZE", &value)?,
            None => world,
        };
        let local_rank = match self.text("LOCAL_RANK") {
            Some(value) => below("LOCAL_RANK", &value, local_world)?,
            None => rank % local_world,
        };
        let (host, port) = match (self.text("MASTER_ADDR"), self.text("MASTER_PORT")) {
            (Some(host), Some(port)) => (host, number("MASTER_PORT", &port)?),
            _ if world == 1 => (LOOPBACK.to_owned(), 0),
            (None, _) => return Err(LaunchError::Missing { there: "RANK", missing: "MASTER_ADDR" }),
            (_, None) => return Err(LaunchError::Missing { there: "RANK", missing: "MASTER_PORT" }),
        };
        let is_served = self.text("TORCHELASTIC_USE_AGENT_STORE").is_some_and(|value| value == "True");
        Ok(Place {
            rank,
            world,
            local_rank,
            local_world,
            host,
            port,
            server: if is_served { Server::Launcher } else { Server::First },
            interface: self.text("GLOO_SOCKET_IFNAME"),
            attempt: self.count("TORCHELASTIC_RESTART_COUNT")?,
            may_restart: self.count("TORCHELASTIC_MAX_RESTARTS")? > 0,
        })
    }

    /// The tasks of this job step. A batch script is itself no step, and has no such number of its own.
    fn slurm_world(&self) -> Option<String> {
        self.text("SLURM_STEP_NUM_TASKS").or_else(|| self.text("SLURM_NTASKS"))
    }

    fn slurm(&self, world: &str) -> Result<Place, LaunchError> {
        let world = positive("SLURM_NTASKS", world)?;
        let rank = below("SLURM_PROCID", &self.text("SLURM_PROCID").unwrap_or_default(), world)?;
        let per_node = self.text("SLURM_STEP_TASKS_PER_NODE").or_else(|| self.text("SLURM_TASKS_PER_NODE"));
        let node = self.count("SLURM_NODEID")? as usize;
        let local_world = per_node.and_then(|text| tasks_of_node(&text, node)).unwrap_or(world).max(1);
        let local_rank = match self.text("SLURM_LOCALID") {
            Some(value) => below("SLURM_LOCALID", &value, local_world)?,
            None => rank % local_world,
        };
        let nodes = self.text("SLURM_STEP_NODELIST").or_else(|| self.text("SLURM_NODELIST"));
        let host = self.text("MASTER_ADDR").or_else(|| nodes.map(|list| first_host(&list)));
        // Steps of one job may run side by side.
        let step = self.count("SLURM_JOB_ID")? * 7 + self.count("SLURM_STEP_ID")?;
        let usual = (SLURM_PORTS + step % NUM_SLURM_PORTS) as u16;
        let port = self.text("MASTER_PORT").map_or(Ok(usual), |port| number("MASTER_PORT", &port))?;
        Ok(Place {
            rank,
            world,
            local_rank,
            local_world,
            host: host.unwrap_or_else(|| LOOPBACK.to_owned()),
            port,
            server: Server::First,
            interface: self.text("GLOO_SOCKET_IFNAME"),
            attempt: self.count("SLURM_RESTART_COUNT")?,
            may_restart: self.text("SLURM_RESTART_COUNT").is_some(),
        })
    }

    /// A count that is 0 where nothing is said.
    fn count(&self, name: &'static str) -> Result<u64, LaunchError> {
        self.text(name).map_or(Ok(0), |value| number(name, &value))
    }
}

fn number<T: std::str::FromStr>(name: &'static str, value: &str) -> Result<T, LaunchError> {
    let fault = || LaunchError::Value {
        name,
        value: value.to_owned(),
        wanted: "a whole number is needed".to_owned(),
    };
    value.trim().parse().map_err(|_| fault())
}

fn positive(name: &'static str, value: &str) -> Result<usize, LaunchError> {
    let count: usize = number(name, value)?;
    if count > 0 {
        return Ok(count);
    }
    let wanted = "there is at least one process".to_owned();
    Err(LaunchError::Value { name, value: value.to_owned(), wanted })
}

fn below(name: &'static str, value: &str, bound: usize) -> Result<usize, LaunchError> {
    let rank: usize = number(name, value)?;
    if rank < bound {
        return Ok(rank);
    }
    let wanted = format!("with {bound} processes, a number from 0 to {} is needed", bound - 1);
    Err(LaunchError::Value { name, value: value.to_owned(), wanted })
}

/// The first host of a list as Slurm writes it: `n1,n2`, `n[01-04,07]`, `n[3,5]-ib`.
fn first_host(list: &str) -> String {
    let end = |text: &str, ends: &[char]| text.find(ends).unwrap_or(text.len());
    let Some((prefix, rest)) = list.split_once('[').filter(|(prefix, _)| !prefix.contains(',')) else {
        return list.split(',').next().unwrap_or(list).to_owned();
    };
    let (range, suffix) = rest.split_once(']').unwrap_or((rest, ""));
    let number = range.get(..end(range, &['-', ','])).unwrap_or(range);
    let suffix = suffix.get(..end(suffix, &[','])).unwrap_or(suffix);
    format!("{prefix}{number}{suffix}")
}

/// How many tasks node `node` has, of a list as Slurm writes it: `2(x3),1`.
fn tasks_of_node(list: &str, node: usize) -> Option<usize> {
    let counts = list.split(',').flat_map(|entry| {
        let (count, times) = entry.split_once("(x").unwrap_or((entry, "1"));
        let times = times.trim_end_matches(')').parse().unwrap_or(1);
        std::iter::repeat_n(count.parse::<usize>().ok(), times)
    });
    counts.into_iter().nth(node).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn learn(variables: &[(&str, &str)]) -> Result<Option<Place>, LaunchError> {
        Place::learn(&|name| {
            variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        })
    }

    fn place(variables: &[(&str, &str)]) -> Place {
        learn(variables).unwrap().unwrap()
    }

    #[test]
    fn nothing_said_is_one_process() {
        assert_eq!(learn(&[]).unwrap(), None);
        // A batch script has a task's number, and no tasks.
        assert_eq!(learn(&[("SLURM_PROCID", "0")]).unwrap(), None);
    }

    #[test]
    fn torchrun_says_all_of_it() {
        let place = place(&[
            ("RANK", "5"),
            ("WORLD_SIZE", "8"),
            ("LOCAL_RANK", "1"),
            ("LOCAL_WORLD_SIZE", "4"),
            ("MASTER_ADDR", "node7"),
            ("MASTER_PORT", "29400"),
            ("TORCHELASTIC_USE_AGENT_STORE", "True"),
            ("TORCHELASTIC_RESTART_COUNT", "2"),
            ("TORCHELASTIC_MAX_RESTARTS", "3"),
        ]);
        assert_eq!((place.rank, place.world, place.local_rank, place.local_world), (5, 8, 1, 4));
        assert_eq!((place.host.as_str(), place.port), ("node7", 29400));
        assert_eq!((place.server, place.attempt, place.may_restart), (Server::Launcher, 2, true));
    }

    #[test]
    fn variables_by_hand_need_only_the_four() {
        let place = place(&[("RANK", "1"), ("WORLD_SIZE", "2"), ("MASTER_ADDR", "a"), ("MASTER_PORT", "1")]);
        assert_eq!((place.local_rank, place.local_world, place.server), (1, 2, Server::First));
    }

    #[test]
    fn slurm_says_where_the_first_task_is() {
        let place = place(&[
            ("SLURM_PROCID", "4"),
            ("SLURM_STEP_NUM_TASKS", "5"),
            ("SLURM_NODEID", "2"),
            ("SLURM_STEP_TASKS_PER_NODE", "2(x2),1"),
            ("SLURM_LOCALID", "0"),
            ("SLURM_STEP_NODELIST", "gpu[07-08,11]"),
            ("SLURM_JOB_ID", "123456"),
            ("SLURM_STEP_ID", "1"),
        ]);
        assert_eq!((place.rank, place.world, place.local_rank, place.local_world), (4, 5, 0, 1));
        assert_eq!(place.host, "gpu07");
        assert_eq!(u64::from(place.port), 15_000 + (123_456 * 7 + 1) % 20_000);
    }

    #[test]
    fn hosts_are_read_from_every_form_of_a_list() {
        for (list, host) in
            [("n1", "n1"), ("n1,n2", "n1"), ("n[3,5]-ib,m1", "n3-ib"), ("a,n[1-2]", "a"), ("n[009]", "n009")]
        {
            assert_eq!(first_host(list), host, "{list}");
        }
        assert_eq!(tasks_of_node("4", 0), Some(4));
        assert_eq!(tasks_of_node("2(x3),1", 3), Some(1));
        assert_eq!(tasks_of_node("2(x3),1", 4), None);
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let said = |variables: &[(&str, &str)]| learn(variables).unwrap_err().to_string();
        assert!(said(&[("RANK", "0")]).starts_with("RANK is set and WORLD_SIZE is not"));
        assert!(said(&[("RANK", "0"), ("WORLD_SIZE", "2")]).contains("MASTER_ADDR is not"));
        assert_eq!(
            said(&[("RANK", "2"), ("WORLD_SIZE", "2")]),
            "RANK is `2`: with 2 processes, a number from 0 to 1 is needed"
        );
        assert!(
            said(&[("RANK", "0"), ("WORLD_SIZE", "two")]).contains("WORLD_SIZE is `two`: a whole number")
        );
    }
}
