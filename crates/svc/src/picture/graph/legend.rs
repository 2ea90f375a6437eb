//! What the colours and outlines mean, below the picture.

use super::card::{self, Card, Shape};
use super::mark::{Decay, Mark};
use crate::picture::palette::{self, QUIET};
use crate::picture::svg::{Element, Picture, text_width};
use svspec_ir::Role;

/// With the margin below.
pub const HEIGHT: f64 = 84.0;

/// Draws it with its top left corner at `corner`.
pub fn draw(picture: &mut Picture, corner: (f64, f64)) {
    let mark = |role, decay| Mark { role, decay };
    let vectors = [
        (mark(Role::Input, Decay::All(1.0)), "decayed"),
        (mark(Role::Input, Decay::None), "not decayed"),
        (mark(Role::Input, Decay::Part(1.0)), "decayed in part"),
    ];
    let (mut x, y) = corner;
    x = words(picture, (x, y), "scale vector:");
    for (mark, name) in vectors {
        picture.add(card::diamond((x + 15.0, y), (30.0, 15.0), mark));
        x = words(picture, (x + 36.0, y), name);
    }
    let (mut x, y) = (corner.0, corner.1 + 26.0);
    x = words(picture, (x, y), "its outline:");
    for (role, name) in [(Role::Input, "role input"), (Role::Output, "role output")] {
        picture.add(
            card::diamond((x + 15.0, y), (30.0, 15.0), mark(role, Decay::None)).with("fill", palette::PAPER),
        );
        x = words(picture, (x + 36.0, y), name);
    }
    for (shape, name) in
        [(Shape::Box(palette::LINEAR), "linear map"), (Shape::Pill(palette::NORMALIZE), "normalisation")]
    {
        let swatch = Card { width: 26.0, height: 15.0, ..Card::new(shape, "", "") };
        swatch.paint(picture, (x + 13.0, y));
        x = words(picture, (x + 32.0, y), name);
    }
}

/// Writes `text` from `place` on; returns where the next thing starts.
fn words(picture: &mut Picture, place: (f64, f64), text: &str) -> f64 {
    picture.add(Element::text(place.0, place.1 + 4.0, 11.0, text).with("fill", QUIET));
    place.0 + text_width(text, 11.0) + 14.0
}
