//! `--lr-scale`: every rate multiplied, in a resumed run too.

use crate::runs::{Folder, options, resumption, rows, state_bytes, train, train_until, turn};
use crate::tiny::Tiny;
use svspec_runtime::run::{Options, RunError};

#[test]
fn every_rate_is_multiplied_and_a_resumed_run_keeps_the_factor() {
    let _turn = turn();
    let folder = Folder::new("lr-scale");
    let corpus = folder.corpus();
    let run = |name: &str, lr_scale| Options { lr_scale, ..options(&corpus, &folder.join(name)) };
    train::<Tiny>(&run("plain", None)).unwrap();
    train::<Tiny>(&run("half", Some(0.5))).unwrap();
    let rates = |name: &str| -> Vec<f64> {
        let rows = rows(&folder.join(name).join("metrics.jsonl"));
        rows.iter().filter_map(|row| row.get("lr")?.as_f64()).collect()
    };
    let halved: Vec<f64> = rates("plain").iter().map(|lr| lr * 0.5).collect();
    assert_eq!(rates("half"), halved);
    assert_ne!(state_bytes(&folder.join("half")), state_bytes(&folder.join("plain")));

    train_until::<Tiny>(&run("stopped", Some(0.5)), 7).unwrap();
    let other = Options { lr_scale: Some(2.0), ..resumption(&folder.join("stopped")) };
    let error = train::<Tiny>(&other).unwrap_err();
    assert!(matches!(error, RunError::Contradiction { option: "--lr-scale", .. }), "{error}");
    assert!(error.to_string().contains("--lr-scale 2 contradicts"), "{error}");
    train::<Tiny>(&resumption(&folder.join("stopped"))).unwrap();
    assert!(state_bytes(&folder.join("stopped")) == state_bytes(&folder.join("half")));
}
