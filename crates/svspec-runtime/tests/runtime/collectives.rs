//! c10d's collectives between two processes' worth of threads, and what they say when one is missing, hangs or goes.

use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};
use svspec_runtime::ffi::{self, Address, Group, Store, TorchError, Work};
use tch::{Device, Kind, Tensor};

const LOOPBACK: &str = "127.0.0.1";

/// Runs `body` as process 0 and as process 1 of two.
fn two<T: Send>(timeout: Duration, body: impl Fn(usize, Group) -> T + Sync) -> [T; 2] {
    ffi::quiet_c10d();
    let (served, port) = Store::serve(LOOPBACK, 0, timeout).unwrap();
    let run = |rank| {
        let store = Store::connect(LOOPBACK, port, timeout).unwrap();
        let address = Address::Host(LOOPBACK.to_owned());
        body(rank, Group::gloo(&store, rank, 2, timeout, &address).unwrap())
    };
    let results = thread::scope(|scope| {
        let threads = [0, 1].map(|rank| scope.spawn(move || run(rank)));
        threads.map(|thread| thread.join().unwrap())
    });
    drop(served);
    results
}

fn values(tensor: &Tensor) -> Vec<f64> {
    Vec::<f64>::try_from(tensor.to_kind(Kind::Double)).unwrap()
}

#[test]
fn sums_and_copies_arrive_in_both() {
    let results = two(Duration::from_secs(20), |rank, group| {
        let options = (Kind::Float, Device::Cpu);
        let mine: Tensor = Tensor::arange(5, options) + 10.0 * (rank as f64 + 1.0);
        let whole: Tensor = Tensor::full([2], rank as i64 + 1, (Kind::Int64, Device::Cpu));
        let copied = Tensor::full([3], rank as f64, options);
        // Under way together, waited for in another order.
        let works = [group.all_reduce(&mine), group.all_reduce(&whole), group.broadcast(&copied, 1)];
        works.into_iter().rev().try_for_each(|work| work.and_then(Work::wait)).unwrap();
        (values(&mine), values(&whole), values(&copied))
    });
    for (summed, whole, copied) in results {
        assert_eq!(summed, [30.0, 32.0, 34.0, 36.0, 38.0]);
        assert_eq!(whole, [3.0, 3.0]);
        assert_eq!(copied, [1.0, 1.0, 1.0]);
    }
}

fn sum_of_one(group: &Group) -> Result<(), TorchError> {
    group.all_reduce(&Tensor::from_slice(&[1.0_f32])).and_then(Work::wait)
}

#[test]
fn a_process_that_hangs_is_waited_for_as_long_as_was_said() {
    let timeout = Duration::from_secs(2);
    let [waited, _] = two(timeout, |rank, group| {
        let began = Instant::now();
        if rank == 1 {
            thread::sleep(timeout * 2);
            return None;
        }
        let error = sum_of_one(&group).unwrap_err();
        assert!(error.to_string().contains("Timed out"), "{error}");
        Some(began.elapsed())
    });
    let waited = waited.unwrap();
    assert!(waited >= timeout && waited < timeout * 2, "{waited:?}");
}

#[test]
fn a_process_that_goes_is_noticed_at_once() {
    let timeout = Duration::from_secs(20);
    // One that goes while the other still connects is another fault.
    let met = Barrier::new(2);
    let [waited, _] = two(timeout, |rank, group| {
        met.wait();
        let began = Instant::now();
        if rank == 1 {
            return None;
        }
        let error = sum_of_one(&group).unwrap_err();
        assert!(error.to_string().contains("onnection"), "{error}");
        Some(began.elapsed())
    });
    assert!(waited.unwrap() < timeout / 2, "{waited:?}");
}

#[test]
fn a_process_that_never_comes_is_waited_for_as_long_as_was_said() {
    ffi::quiet_c10d();
    let timeout = Duration::from_secs(1);
    let (store, port) = Store::serve(LOOPBACK, 0, timeout).unwrap();
    let began = Instant::now();
    let address = Address::Host(LOOPBACK.to_owned());
    let error = Group::gloo(&store, 0, 2, timeout, &address).unwrap_err();
    assert!(began.elapsed() < timeout * 4, "{error}");
    drop(store);
    let error = Store::connect(LOOPBACK, port, timeout).unwrap_err();
    assert!(began.elapsed() < timeout * 8, "{error}");
}
