//! `svc migrate` and `svc train --resume`: a run that was carried over goes on as the one it came from would have.

use super::setting::{DESK, SPEC, begin, stop};
use rustix::process::Signal;
use std::fs;
use std::path::Path;
use svspec_generated_tests::run;

/// Long enough that the signal comes before the end.
const STEPS: u64 = 2000;

/// Of losses near 5: sums of 32-bit numbers in another order.
const TOLERANCE: f64 = 2e-6;

/// The step of a run's checkpoint.
fn step(run: &str) -> u64 {
    let record = run::json(&DESK.path(run).join("checkpoint/state.json")).unwrap();
    record.get("step").unwrap().as_u64().unwrap()
}

/// The training loss of one step.
fn loss(run: &str, step: u64) -> f64 {
    let rows = run::losses(&DESK.path(run)).unwrap();
    let mut of_step = rows.iter().filter(|row| row.get("step").is_some_and(|of| *of == step));
    of_step.find_map(|row| row.get("loss")?.as_f64()).unwrap()
}

/// Goes on with a run for a few steps.
fn go_on(run: &str) {
    stop(&format!("train --device cpu --resume {run}"), run, step(run) + 1, Signal::INT);
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let place = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &place);
        } else {
            fs::copy(&path, &place).unwrap();
        }
    }
}

#[test]
fn a_run_goes_on_as_another_spec_and_back() {
    stop(&begin("hop_0", STEPS), "hop_0", 20, Signal::INT);
    // The last hop folds: the branches have gone ways of their own by then.
    for (from, to, variant) in
        [("hop_0", "hop_1", "road_hg"), ("hop_1", "hop_2", "road_or"), ("hop_2", "hop_3", "road")]
    {
        let at = step(from);
        let before = run::files(&DESK.path(from)).unwrap();
        let said =
            DESK.succeed(&format!("migrate {from} --to road.svspec --variant {variant} --out {to}")).unwrap();
        assert!(said.out.contains(&format!("svc train --resume {to}")), "{}", said.out);
        assert!(before == run::files(&DESK.path(from)).unwrap(), "{from} has changed");
        assert_eq!(step(to), at);
        let origin = &run::losses(&DESK.path(to)).unwrap()[0];
        assert!(origin["migrated_from"]["run"].as_str().is_some_and(|run| run.ends_with(from)), "{origin}");

        // What the old run would have had.
        let kept = format!("{from}_kept");
        copy(&DESK.path(from), &DESK.path(&kept));
        go_on(&kept);
        go_on(to);
        let (expected, found) = (loss(&kept, at + 1), loss(to, at + 1));
        assert!((expected - found).abs() < TOLERANCE * expected, "{to}: {found}, not {expected}");
        assert!(step(to) > at);
        let still = &run::losses(&DESK.path(to)).unwrap()[0];
        assert_eq!(still["migrated_from"]["target"], origin["migrated_from"]["target"]);
    }
}

#[test]
fn the_same_spec_goes_on_to_the_same_bits() {
    stop(&begin("same", STEPS), "same", 20, Signal::INT);
    DESK.succeed("migrate same --to road.svspec --out same_again").unwrap();
    for name in ["checkpoint/model.safetensors", "checkpoint/optimizer.safetensors"] {
        let read = |run: &str| fs::read(DESK.path(run).join(name)).unwrap();
        assert!(read("same") == read("same_again"), "{name}");
    }
    let record = |run: &str| run::json(&DESK.path(run).join("checkpoint/state.json")).unwrap();
    assert_eq!(record("same"), record("same_again"));
}

#[test]
fn another_function_is_refused() {
    DESK.succeed(&begin("single", 2)).unwrap();
    fs::write(
        DESK.path("normed.svspec"),
        format!("{SPEC}\nvariant normed of road {{ attn.q : out normalize(head) }}\n"),
    )
    .unwrap();
    let said = DESK.svc("migrate single --to normed.svspec --variant normed --out refused_run").unwrap();
    assert_eq!(said.code, Some(1), "{}", said.err);
    assert!(said.err.contains("attn.q out: `normalize[head_dim]` came"), "{}", said.err);
    assert!(!DESK.path("refused_run").exists());
}
