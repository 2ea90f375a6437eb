//! Training settings that mean nothing.

use super::{report, small};

#[test]
fn settings_of_a_runs_health() {
    let train = |settings: &str| small(&format!("    train {{ steps = 10, batch = 8, {settings} }}\n"));
    insta::assert_snapshot!(report(&train("on_non_finite = log")));
    insta::assert_snapshot!(report(&train("on_spike = skp { deviations = 3 }")));
    insta::assert_snapshot!(report(&train("on_spike = skip { deviations = 0 }")));
    insta::assert_snapshot!(report(&train("on_spike = skip { sigma = 3 }")));
    insta::assert_snapshot!(report(&train("on_dead_scale = skip")));
}

#[test]
fn settings_that_trade_time_for_memory() {
    let train = |settings: &str| small(&format!("    train {{ steps = 10, batch = 8, {settings} }}\n"));
    insta::assert_snapshot!(report(&train("loss_chunk = 0")));
    insta::assert_snapshot!(report(&train("loss_chunk = auto2")));
    insta::assert_snapshot!(report(&train("recompute = 3")));
    insta::assert_snapshot!(report(&train("recompute = layers / 4")));
    insta::assert_snapshot!(report(&train("recompute = layer")));
}

#[test]
fn words_in_quotes() {
    let faults = "    attn.bias = \"on\"
    attn.window = \"none\"
    optimizer {
        decay 0 on scale where role == \"input\"
        muon.scale = \"sqrt_ratio\"
    }
    train {
        steps = 10, batch = \"8\", on_non_finite = \"skip\", on_spike = \"skpi\", precision = \"bf16\", clip = \"off\"
        schedule = \"constant\"
    }
";
    insta::assert_snapshot!(report(&small(faults)));
}
