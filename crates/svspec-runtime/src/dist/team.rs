//! A process's place in, what it does with the others out: they meet, make sure that they train the same, and answer each other.

use super::launch::{Place, Server};
use super::pulse::{Known, Pulse};
use super::{Owners, Share, Sums, TeamError, Traffic};
use crate::ffi::{self, Address, Group, Store, TorchError, Work};
use crate::losses::Losses;
use crate::optimizer::Optimizer;
use crate::params::Params;
use crate::schedule::Factors;
use crate::spec::{OptimizerState, Spec, Training};
use std::cell::Cell;
use std::net::{ToSocketAddrs, UdpSocket};
use std::sync::Arc;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};
use tch::{Device, Kind, Tensor};

/// The least time for an answer that may be there already.
const GLANCE: Duration = Duration::from_millis(50);
/// What c10d's own time-outs may be late by.
const GRACE: Duration = Duration::from_secs(2);
/// What it says when one has passed.
const TIMED_OUT: [&str; 2] = ["Timed out", "timed out"];

/// The processes of a run, as one of them sees them. Alone, it answers at once.
#[derive(Debug)]
pub struct Team {
    place: Place,
    timeout: Duration,
    members: Option<Members>,
    traffic: Cell<Traffic>,
}

/// What there is among several.
#[derive(Debug)]
struct Members {
    store: Arc<Store>,
    pulse: Pulse,
    group: Group,
}

impl Team {
    /// All processes of a run, met. Each waits `timeout` at most, now and in every later call.
    pub fn meet(place: &Place, timeout: Duration) -> Result<Self, TeamError> {
        let members = if place.world > 1 { Some(Members::meet(place, timeout)?) } else { None };
        Ok(Self { place: place.clone(), timeout, members, traffic: Cell::default() })
    }

    /// Where this process is among them.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// How many there are.
    pub fn world(&self) -> usize {
        self.place.world
    }

    /// Whether this is the process that speaks and writes files.
    pub fn leads(&self) -> bool {
        self.place.rank == 0
    }

    /// What this process computes of each batch.
    pub fn share(&self, training: &Training) -> Result<Share, TeamError> {
        Share::of(training, self.place.rank, self.place.world)
    }

    /// Who steps each of `params`, where the optimizer's state is so.
    pub fn owners(&self, params: &Params, state: OptimizerState) -> Owners {
        match state {
            OptimizerState::Whole => Owners::All,
            OptimizerState::Sharded if self.members.is_none() => Owners::All,
            OptimizerState::Sharded => Owners::divided(params, self.place.world),
        }
    }

    /// This process's optimizer.
    pub fn optimizer(&self, spec: &'static Spec, params: &Params, state: OptimizerState) -> Optimizer {
        let owners = self.owners(params, state);
        Optimizer::part(spec, params, &|index| owners.holds(self.place.rank, index))
    }

    /// Where the gradients of `params` are summed.
    pub fn sums(&self, params: &Params, state: OptimizerState) -> Result<Sums, TeamError> {
        match &self.members {
            None => Ok(Sums::here()),
            Some(members) => Ok(Sums::over(&members.group, params, &self.owners(params, state))?),
        }
    }

    /// What process 0 says of `key`, in all of them.
    pub fn told(&self, key: &str, value: impl FnOnce() -> String) -> Result<String, TeamError> {
        let Some(Members { store, .. }) = &self.members else { return Ok(value()) };
        if self.leads() {
            let value = value();
            store.set(key, &value)?;
            return Ok(value);
        }
        let (store, key, timeout) = (Arc::clone(store), key.to_owned(), self.timeout);
        let told = within(timeout + GRACE, move || store.get(&key, timeout));
        told.map_err(|source| self.lost("waiting for process 0", source))
    }

    /// An error unless `found` is what process 0 has of `what`.
    pub fn same(&self, what: &'static str, found: &str) -> Result<(), TeamError> {
        let wanted = self.told(what, || found.to_owned())?;
        let is_same = wanted == found;
        let differs = || TeamError::Differs { rank: self.place.rank, what, found: found.to_owned(), wanted };
        self.together(if is_same { Ok(()) } else { Err(differs()) })
    }

    /// `result`, if it is one in every process.
    pub fn together<T, E: From<TeamError>>(&self, result: Result<T, E>) -> Result<T, E> {
        let Some(Members { group, .. }) = &self.members else { return result };
        let mut failed = vec![0_i64; self.place.world];
        if let Some(own) = failed.get_mut(self.place.rank) {
            *own = i64::from(result.is_err());
        }
        let failed = Tensor::from_slice(&failed);
        let met = group.all_reduce(&failed).and_then(Work::wait);
        let value = result?;
        met.map_err(|source| self.lost("beginning", source))?;
        let failed = Vec::<i64>::try_from(&failed).unwrap_or_default();
        match failed.iter().position(|&count| count > 0) {
            None => Ok(value),
            Some(rank) => Err(TeamError::Elsewhere { rank }.into()),
        }
    }

    /// Overwrites every parameter by that of process 0.
    pub fn spread(&self, params: &Params) -> Result<(), TeamError> {
        let Some(Members { group, .. }) = &self.members else { return Ok(()) };
        let works: Result<Vec<Work>, TorchError> =
            params.iter().map(|param| group.broadcast(&param.tensor, 0)).collect();
        let done = works.and_then(|works| works.into_iter().try_for_each(Work::wait));
        done.map_err(|source| self.lost("spreading parameters", source))
    }

    /// The sum of `tensor` over all processes.
    pub fn sum(&self, tensor: &Tensor) -> Result<Tensor, TeamError> {
        let Some(Members { group, .. }) = &self.members else { return Ok(tensor.shallow_clone()) };
        let sum = tensor.detach().copy();
        group.all_reduce(&sum).and_then(Work::wait).map_err(|source| self.lost("adding up", source))?;
        Ok(sum)
    }

    /// The same, as part of a step.
    fn sum_of_step(&self, tensor: &Tensor) -> Result<Tensor, TeamError> {
        self.carried(Traffic { all_reduced: bytes(tensor), ..Traffic::default() });
        self.sum(tensor)
    }

    /// What the losses of all processes' shares of a batch add up to, and their experts' loads: all in one collective, in f64, in which sums
    /// of two f32 are exact.
    pub fn losses_of_step(&self, mut losses: Losses) -> Result<Losses, TeamError> {
        if self.members.is_none() {
            return Ok(losses);
        }
        let parts = losses.parts();
        let flat: Vec<Tensor> = parts.iter().map(|part| part.to_kind(Kind::Double).view([-1])).collect();
        let sizes: Vec<i64> = flat.iter().map(|part| part.numel() as i64).collect();
        let sums = self.sum_of_step(&Tensor::cat(&flat, 0))?.split_with_sizes(sizes, 0);
        for (part, sum) in parts.into_iter().zip(&sums) {
            *part = sum.view(part.size().as_slice()).to_kind(part.kind());
        }
        Ok(losses)
    }

    /// The gradients that `sums` has collected of a step, of all processes.
    pub fn gradients(&self, sums: &mut Sums) -> Result<Vec<Tensor>, TeamError> {
        sums.whole().map_err(|source| self.lost("summing gradients", source))
    }

    /// The norms of all gradients, of which this process has all or its own.
    pub fn norms(
        &self,
        optimizer: &Optimizer,
        gradients: &[Tensor],
        sums: &Sums,
    ) -> Result<Tensor, TeamError> {
        let norms = optimizer.norms(gradients)?;
        if sums.is_divided() { self.sum_of_step(&norms) } else { Ok(norms) }
    }

    /// One step with these gradients: of all parameters, or of this process's, which the others then get. `norms` are of all gradients;
    /// where the scalar `skip` is 1, nothing changes. The result is the norm before clipping.
    pub fn step(
        &self,
        optimizer: &mut Optimizer,
        gradients: &[Tensor],
        factors: Factors,
        sums: &Sums,
        norms: &Tensor,
        skip: &Tensor,
    ) -> Result<Tensor, TeamError> {
        let entries = gradients.iter().map(bytes).sum();
        let norm = optimizer.step_by(gradients, factors, norms, skip)?;
        if sums.is_divided() {
            sums.spread().map_err(|source| self.lost("spreading parameters", source))?;
            self.carried(Traffic { reduced: entries, broadcast: entries, ..Traffic::default() });
        } else {
            self.carried(Traffic { all_reduced: entries, ..Traffic::default() });
        }
        Ok(norm)
    }

    /// In process 0, what the optimizers of all processes remember, on the CPU, as one that steps all parameters would have it. The others send
    /// theirs, and have nothing.
    pub fn gather(
        &self,
        spec: &'static Spec,
        params: &Params,
        optimizer: &Optimizer,
        state: OptimizerState,
    ) -> Result<Vec<(String, Tensor)>, TeamError> {
        let owners = self.owners(params, state);
        let (Owners::One(_), Some(Members { group, .. })) = (&owners, &self.members) else {
            return Ok(optimizer.state());
        };
        let mut own = optimizer.memories().into_iter();
        if !self.leads() {
            let sent = own.enumerate().try_for_each(|(tag, (_, _, tensor))| {
                group.send(&tensor.to_device(Device::Cpu), 0, tag).and_then(Work::wait)
            });
            sent.map_err(|source| self.lost("gathering the optimizer's state", source))?;
            return Ok(Vec::new());
        }
        let mut tags = vec![0; self.place.world];
        let mut gathered = Vec::new();
        // Each process remembers its parameters' in the order in which all are remembered.
        for (index, name, tensor) in Optimizer::new(spec, &params.on(Device::Cpu)).memories() {
            let from = owners.of(index).unwrap_or_default();
            let received = match tags.get_mut(from) {
                Some(tag) if from != 0 => {
                    *tag += 1;
                    group.receive(&tensor, from, *tag - 1).and_then(Work::wait).map(|()| tensor)
                }
                Some(_) | None => Ok(own.next().map_or(tensor, |(_, _, tensor)| tensor)),
            };
            let received = received.map_err(|source| self.lost("gathering the optimizer's state", source))?;
            gathered.push((name, received));
        }
        Ok(gathered)
    }

    /// Whether any process says so; all hear the same.
    pub fn any(&self, says: bool) -> Result<bool, TeamError> {
        let Some(Members { group, .. }) = &self.members else { return Ok(says) };
        let voices = Tensor::full([1], i64::from(says), (Kind::Int, Device::Cpu));
        let heard = group.all_reduce(&voices).and_then(Work::wait);
        heard.map_err(|source| self.lost("asking whether to stop", source))?;
        self.carried(Traffic { all_reduced: bytes(&voices), ..Traffic::default() });
        Ok(voices.int64_value(&[0]) > 0)
    }

    /// What the collectives of steps have carried since this was last asked.
    pub fn traffic(&self) -> Traffic {
        self.traffic.take()
    }

    /// Leaves word for the others that this process ends, and why; that it has lost others, it has said before.
    pub fn leave(&self, reason: &str) {
        if let Some(Members { pulse, .. }) = &self.members {
            pulse.end(reason);
        }
    }

    /// That the others were lost, with what is known of them.
    pub fn lost(&self, doing: &'static str, source: TorchError) -> TeamError {
        let (rank, world) = (self.place.rank, self.place.world);
        let known = self.members.as_ref().map(|members| members.pulse.ask()).unwrap_or_default();
        let has_timed_out = TIMED_OUT.iter().any(|words| source.0.contains(words));
        // One that lives will notice, too, that others are lost; unless it is the one that was waited for in vain.
        let goes_on = |known: &Known| match known {
            Known::HasLost => true,
            Known::Lives => !has_timed_out,
            Known::Ended(_) | Known::Silent => false,
        };
        let first = known.iter().filter(|(_, known)| goes_on(known)).map(|(other, _)| *other).min();
        let first = first.map_or(rank, |other| other.min(rank));
        let said = known.iter().filter_map(|(other, known)| match known {
            Known::Silent => Some(format!("process {other} does not answer")),
            Known::Ended(word) => Some(format!("process {other} ended: {word}")),
            Known::Lives if has_timed_out => Some(format!("process {other} lives, and does not go on")),
            Known::Lives | Known::HasLost => None,
        });
        TeamError::Lost { rank, world, doing, source, reasons: said.collect(), first }
    }

    fn carried(&self, more: Traffic) {
        let mut traffic = self.traffic.get();
        traffic += more;
        self.traffic.set(traffic);
    }
}

impl Members {
    fn meet(place: &Place, timeout: Duration) -> Result<Self, TeamError> {
        ffi::quiet_c10d();
        let began = Instant::now();
        let Place { rank, world, host, port, .. } = place.clone();
        let no_store = |source| TeamError::NoStore { rank, world, host: host.clone(), port, source };
        // A launcher's store may outlive an attempt.
        let prefix = format!("svspec/{}", place.attempt);
        let connect = || {
            let (host, prefix) = (host.clone(), prefix.clone());
            within(timeout + GRACE, move || Store::connect(&host, port, timeout)?.under(&prefix))
        };
        let own = match place.server {
            Server::First if rank == 0 => {
                Store::serve(&host, port, timeout).and_then(|(store, _)| store.under(&prefix))
            }
            Server::First | Server::Launcher => connect(),
        };
        let store = Arc::new(own.map_err(&no_store)?);
        Pulse::first(&store, rank).map_err(&no_store)?;
        store.set(&here(rank), "").map_err(&no_store)?;
        let is_missing = |other: &usize| {
            let (store, key, left) = (Arc::clone(&store), here(*other), left(timeout, began));
            within(left + GRACE, move || store.get(&key, left)).is_err()
        };
        let missing: Vec<usize> = (0..world).filter(is_missing).collect();
        if !missing.is_empty() {
            return Err(TeamError::NotThere { world, missing, timeout });
        }
        let server = (place.server == Server::First).then_some(0);
        let pulse = Pulse::start(connect().map_err(&no_store)?, rank, world, server);
        let (connections, address) = (store.under("gloo")?, address(place));
        let group =
            within(timeout + GRACE, move || Group::gloo(&connections, rank, world, timeout, &address));
        let group = group.map_err(|source| TeamError::NoGroup { rank, world, source })?;
        Ok(Self { store, pulse, group })
    }
}

/// What `body` comes to, unless it takes longer: it is then left to itself. Questions to a store whose server hangs have no end of their own.
fn within<T: Send + 'static>(
    time: Duration,
    body: impl FnOnce() -> Result<T, TorchError> + Send + 'static,
) -> Result<T, TorchError> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || sender.send(body()));
    let none = |_| TorchError(format!("Timed out after {} s: the store does not answer", time.as_secs()));
    receiver.recv_timeout(time).map_err(none)?
}

fn here(rank: usize) -> String {
    format!("here/{rank}")
}

fn left(whole: Duration, began: Instant) -> Duration {
    whole.saturating_sub(began.elapsed()).max(GLANCE)
}

fn bytes(tensor: &Tensor) -> u64 {
    (tensor.numel() * tensor.kind().elt_size_in_bytes()) as u64
}

/// Where the others reach this process: at the interface that is named, or at the address from which it reaches the place where they meet.
fn address(place: &Place) -> Address {
    if let Some(name) = &place.interface {
        return Address::Interface(name.clone());
    }
    let route = |to| {
        // Nothing is sent: the system only says which way it would go.
        let socket = UdpSocket::bind(match to {
            std::net::SocketAddr::V4(_) => "0.0.0.0:0",
            std::net::SocketAddr::V6(_) => "[::]:0",
        })?;
        socket.connect(to)?;
        socket.local_addr()
    };
    let mut known = (place.host.as_str(), place.port.max(1)).to_socket_addrs().into_iter().flatten();
    let own = known.find_map(|to| route(to).ok());
    Address::Host(own.map_or_else(|| place.host.clone(), |own| own.ip().to_string()))
}
