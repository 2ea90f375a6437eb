//! Tensor operations against their formulas, written out in f64.

use svspec_runtime::nn;
use svspec_runtime::precision;
use svspec_runtime::spec::Precision;
use tch::{Device, Kind, Tensor};

/// The same numbers every time, without the process's generator: waves of unrelated lengths.
pub fn waves(shape: &[i64], offset: f64) -> Tensor {
    let count = shape.iter().product::<i64>();
    ((Tensor::arange(count, (Kind::Double, Device::Cpu)) * 1.7 + offset).sin() * 1.3).view(shape)
}

/// Over all entries; 0 if there are none.
pub fn largest_error(found: &Tensor, expected: &Tensor) -> f64 {
    assert_eq!(found.size(), expected.size());
    let errors = (found.to_kind(Kind::Double) - expected).abs();
    if errors.numel() == 0 { 0.0 } else { errors.max().double_value(&[]) }
}

#[test]
fn layer_norm_centres_and_divides_over_one_axis_or_two() {
    let x = waves(&[2, 3, 4, 5], 0.3);
    for num_axes in [1, 2] {
        let axes: &[i64] = if num_axes == 1 { &[-1] } else { &[-2, -1] };
        let mean = |x: &Tensor| x.mean_dim(axes, true, Kind::Double);
        let centred = &x - mean(&x);
        let layer = &centred / (mean(&centred.square()) + 1e-3).sqrt();
        assert!(largest_error(&nn::layer_norm(&x, num_axes, 1e-3), &layer) < 1e-14);
    }
}

#[test]
fn rope_turns_each_pair_by_its_angle_and_leaves_the_rest() {
    let x_bthk = waves(&[1, 3, 2, 6], 0.0);
    let table = nn::rope_table(3, 4, 100.0, Kind::Double, Device::Cpu);
    let turned = nn::rope(&x_bthk, &table);
    for position in 0..3 {
        for (pair, frequency) in [(0, 1.0), (1, 0.1)] {
            let (sin, cos) = (position as f64 * frequency).sin_cos();
            let at = |x: &Tensor, channel: i64| x.double_value(&[0, position, 1, channel]);
            let (first, second) = (at(&x_bthk, pair), at(&x_bthk, pair + 2));
            assert!((at(&turned, pair) - (first * cos - second * sin)).abs() < 1e-14);
            assert!((at(&turned, pair + 2) - (second * cos + first * sin)).abs() < 1e-14);
        }
    }
    assert!(turned.narrow(-1, 4, 2).equal(&x_bthk.narrow(-1, 4, 2)));
}

/// Query by query, key by key; each head's scores lose its slope for each position between.
fn attention_written_out(
    [q, k, v]: [&Tensor; 3],
    scale: f64,
    window: i64,
    cap: f64,
    slopes: &[f64],
) -> Tensor {
    let (num_tokens, num_heads, repeats) = (q.size()[1], q.size()[2], q.size()[2] / k.size()[2]);
    let out = q.zeros_like();
    for head in 0..num_heads {
        for query in 0..num_tokens {
            let first = (query + 1 - window).max(0);
            let seen =
                |x: &Tensor| x.select(0, 0).select(1, head / repeats).narrow(0, first, query + 1 - first);
            let q_k = q.select(0, 0).select(1, head).select(0, query);
            let scores = seen(k).mv(&q_k) * scale;
            let distances = Tensor::arange_start(first - query, 1, (Kind::Double, Device::Cpu));
            let bias = distances * slopes.get(head as usize).copied().unwrap_or(0.0);
            let weights = ((scores / cap).tanh() * cap + bias).softmax(0, Kind::Double);
            out.select(0, 0).select(1, head).select(0, query).copy_(&seen(v).transpose(0, 1).mv(&weights));
        }
    }
    out
}

#[test]
fn attention_is_causal_grouped_windowed_and_capped() {
    let (q, k, v) = (waves(&[1, 7, 4, 6], 0.0), waves(&[1, 7, 2, 6], 1.0), waves(&[1, 7, 2, 6], 2.0));
    // A cap this large is the identity to the last bits that are compared.
    let none = 1e6;
    for (window, cap) in
        [(None, None), (Some(3), None), (Some(9), None), (None, Some(0.5)), (Some(2), Some(0.5))]
    {
        let expected =
            attention_written_out([&q, &k, &v], 0.4, window.unwrap_or(7), cap.unwrap_or(none), &[]);
        let error = largest_error(&nn::attention(&q, &k, &v, 0.4, window, cap), &expected);
        assert!(error < 1e-10, "window {window:?}, cap {cap:?}: off by {error:e}");
        let in_bf16 = || {
            nn::attention(
                &q.to_kind(Kind::Float),
                &k.to_kind(Kind::Float),
                &v.to_kind(Kind::BFloat16),
                0.4,
                window,
                cap,
            )
        };
        let coarse = precision::run(Precision::Bf16, Device::Cpu, in_bf16).unwrap();
        let error = largest_error(&coarse, &expected);
        assert!(error < 3e-2, "bf16, window {window:?}, cap {cap:?}: off by {error:e}");
    }
}

#[test]
fn alibi_takes_a_slope_of_each_head_from_distant_scores() {
    let (q, k, v) = (waves(&[1, 7, 6, 4], 0.0), waves(&[1, 7, 3, 4], 1.0), waves(&[1, 7, 3, 4], 2.0));
    let slopes = [0.25, 0.0625, 0.015_625, 0.003_906_25, 0.5, 0.125];
    let bias = nn::alibi(6, 8.0, &q);
    for (window, cap) in [(None, None), (Some(3), None), (None, Some(0.5)), (Some(2), Some(0.5))] {
        let expected =
            attention_written_out([&q, &k, &v], 0.4, window.unwrap_or(7), cap.unwrap_or(1e6), &slopes);
        let found = nn::attention_with_bias(&q, &k, &v, &bias, None, 0.4, window, cap);
        let error = largest_error(&found, &expected);
        assert!(error < 1e-10, "window {window:?}, cap {cap:?}: off by {error:e}");
        // A sink of a logit this small has no share.
        let sinks = Tensor::full([6], -1e4, (Kind::Double, Device::Cpu));
        let found = nn::attention_with_bias(&q, &k, &v, &bias, Some(&sinks), 0.4, window, cap);
        let error = largest_error(&found, &expected);
        assert!(error < 1e-10, "sinks, window {window:?}, cap {cap:?}: off by {error:e}");
    }
}

#[test]
fn sinusoids_are_sines_and_cosines_of_the_position_from_the_offset_on() {
    let tokens = Tensor::zeros([2, 3], (Kind::Int64, Device::Cpu));
    let half = nn::sinusoids(&tokens, 4, 100.0, 5, Kind::Double);
    let interleaved = nn::sinusoids_interleaved(&tokens, 4, 100.0, 5, Kind::Double);
    assert_eq!(half.size(), [2, 3, 4]);
    for (position, count) in [(0, 5.0), (1, 6.0), (2, 7.0)] {
        for (pair, frequency) in [(0, 1.0), (1, 0.1)] {
            let (sin, cos) = f64::sin_cos(count * frequency);
            let at = |x: &Tensor, channel: i64| x.double_value(&[1, position, channel]);
            assert!((at(&half, pair) - sin).abs() < 1e-14 && (at(&half, pair + 2) - cos).abs() < 1e-14);
            assert!((at(&interleaved, 2 * pair) - sin).abs() < 1e-14);
            assert!((at(&interleaved, 2 * pair + 1) - cos).abs() < 1e-14);
        }
    }
}

#[test]
fn scale_forms_follow_their_formulas() {
    let (magnitude, direction) = (Tensor::from(1.5_f64), waves(&[5], 0.2));
    let rms = direction.square().mean(Kind::Double).sqrt();
    assert!(
        largest_error(&nn::magnitude_direction(&magnitude, &direction), &(&magnitude * &direction / rms))
            < 1e-14
    );
    let centred = &direction - direction.mean(Kind::Double);
    assert!(
        largest_error(
            &nn::exp_magnitude_direction(&magnitude, &direction),
            &(magnitude.exp() * centred.exp())
        ) < 1e-14
    );
    assert!(largest_error(&nn::softplus(&direction), &(direction.exp() + 1.0).log()) < 1e-14);
}

#[test]
fn of_stacked_vectors_each_has_its_own_magnitude_and_mean() {
    let (magnitudes, directions) = (waves(&[3], 0.7), waves(&[3, 5], 0.2));
    for form in [nn::magnitude_direction, nn::exp_magnitude_direction] {
        let of = |index: i64| form(&magnitudes.get(index), &directions.get(index));
        let expected = Tensor::stack(&[of(0), of(1), of(2)], 0);
        assert!(largest_error(&form(&magnitudes, &directions), &expected) < 1e-14);
    }
}

#[test]
fn cross_entropy_is_the_mean_surprise_and_f32_at_least() {
    let logits = waves(&[2, 3, 4], 0.0);
    let targets = Tensor::from_slice(&[0_i64, 3, 1, 2, 2, 0]).view([2, 3]);
    let surprise =
        logits.logsumexp([-1], false) - logits.gather(-1, &targets.unsqueeze(-1), false).squeeze_dim(-1);
    assert!(largest_error(&nn::cross_entropy(&logits, &targets), &surprise.mean(Kind::Double)) < 1e-14);
    assert_eq!(nn::cross_entropy(&logits.to_kind(Kind::BFloat16), &targets).kind(), Kind::Float);
}
