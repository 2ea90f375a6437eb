//! Named lines over the optimizer's steps to a picture.

use super::palette;
use super::plane::{LEFT, Plane, line_entry, thinned};
use super::svg::Element;

/// One line.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// What the legend calls it; lines of one name have one entry and one colour.
    pub name: String,
    /// (step, value), by rising step; what is not finite is left out.
    pub points: Vec<(f64, f64)>,
}

/// Draws `lines`, of which `label` says what they show and in which unit.
pub fn lines(title: &str, label: &str, lines: &[Line]) -> String {
    let shown: Vec<Vec<(f64, f64)>> = lines.iter().map(|line| thinned(&line.points)).collect();
    let last_step = shown.iter().flatten().map(|(step, _)| *step).fold(1.0, f64::max);
    let low = shown.iter().flatten().map(|(_, value)| *value).fold(f64::INFINITY, f64::min).min(1e9);
    let high = shown.iter().flatten().map(|(_, value)| *value).fold(f64::NEG_INFINITY, f64::max).max(low);
    let plane = Plane::around(last_step, (low, high), f64::NEG_INFINITY);
    let mut picture = plane.frame(title, label);
    let mut names: Vec<&str> = lines.iter().map(|line| line.name.as_str()).collect();
    names.dedup();
    let mut x = LEFT;
    for (index, name) in names.iter().enumerate() {
        let colour = palette::run(index);
        for (line, points) in lines.iter().zip(&shown).filter(|(line, _)| line.name == *name) {
            let points: Vec<(f64, f64)> = points.iter().map(|point| plane.place(*point)).collect();
            if points.len() > 1 {
                let drawn = Element::polyline(&points).stroke(colour, 1.6).with("stroke-linejoin", "round");
                picture.add(drawn.hint(&line.name));
            }
        }
        x = line_entry(&mut picture, x, colour, name);
    }
    picture.finish(title)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_one_name_share_a_colour_and_an_entry() {
        let line = |name: &str, height: f64| Line {
            name: name.to_owned(),
            points: vec![(0.0, height), (10.0, height + 1.0), (20.0, f64::NAN), (30.0, height)],
        };
        let text = lines("norms", "norm", &[line("input", 1.0), line("input", 2.0), line("output", -3.0)]);
        assert_eq!(text.matches("<polyline").count(), 3);
        assert_eq!(text.matches(">input</text>").count(), 1);
        assert!(!text.contains("NaN"), "{text}");
    }

    #[test]
    fn nothing_to_draw_is_still_a_picture() {
        let text = lines("empty", "nothing", &[]);
        assert!(text.ends_with("</svg>\n") && !text.contains("NaN") && !text.contains("inf"), "{text}");
    }
}
