//! Elements in, SVG text out. Numbers are written with one decimal, so that the bytes do not depend on the last bits
//! of an arithmetic.

use super::palette::{INK, PAPER};
use std::fmt::Write;

/// One element with its attributes, without children.
pub struct Element {
    tag: &'static str,
    attributes: String,
    text: Option<String>,
    title: Option<String>,
}

impl Element {
    /// `<tag>`.
    pub fn new(tag: &'static str) -> Self {
        Self { tag, attributes: String::new(), text: None, title: None }
    }

    /// A rectangle with rounded corners.
    pub fn rect(x: f64, y: f64, width: f64, height: f64, radius: f64) -> Self {
        let rect = Self::new("rect").at("x", x).at("y", y).at("width", width).at("height", height);
        if radius > 0.0 { rect.at("rx", radius) } else { rect }
    }

    /// A straight line.
    pub fn line(from: (f64, f64), to: (f64, f64)) -> Self {
        Self::new("line").at("x1", from.0).at("y1", from.1).at("x2", to.0).at("y2", to.1)
    }

    /// A circle.
    pub fn circle(centre: (f64, f64), radius: f64) -> Self {
        Self::new("circle").at("cx", centre.0).at("cy", centre.1).at("r", radius)
    }

    /// A line through `points`, not filled.
    pub fn polyline(points: &[(f64, f64)]) -> Self {
        Self::new("polyline").with("points", &list(points)).with("fill", "none")
    }

    /// The area within `points`.
    pub fn polygon(points: &[(f64, f64)]) -> Self {
        Self::new("polygon").with("points", &list(points))
    }

    /// Text of `size` pixels that starts at `(x, y)`, `y` being the base line.
    pub fn text(x: f64, y: f64, size: f64, text: &str) -> Self {
        let mut element = Self::new("text").at("x", x).at("y", y).at("font-size", size).with("fill", INK);
        element.text = Some(escaped(text));
        element
    }

    /// The same text, centred on `x`.
    pub fn centred(self) -> Self {
        self.with("text-anchor", "middle")
    }

    /// The same text, ending at `x`.
    pub fn ending(self) -> Self {
        self.with("text-anchor", "end")
    }

    /// An attribute that is a number.
    pub fn at(self, name: &str, value: f64) -> Self {
        let value = number(value);
        self.with(name, &value)
    }

    /// An attribute that is text. A later one of the same name replaces the earlier.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        let start = format!(" {name}=\"");
        if let Some(found) = self.attributes.find(&start) {
            let rest = found + start.len();
            let end = self.attributes.get(rest..).and_then(|rest| rest.find('"'));
            if let Some(end) = end {
                self.attributes.replace_range(found..=rest + end, "");
            }
        }
        // Writing to a String cannot fail.
        let _ = write!(self.attributes, "{start}{}\"", escaped(value));
        self
    }

    /// Outline colour and width.
    pub fn stroke(self, colour: &str, width: f64) -> Self {
        self.with("stroke", colour).at("stroke-width", width)
    }

    /// What a pointer resting on it shows.
    pub fn hint(mut self, title: &str) -> Self {
        self.title = Some(escaped(title));
        self
    }
}

/// A picture under construction.
pub struct Picture {
    width: f64,
    height: f64,
    body: String,
}

impl Picture {
    /// An empty page of this size in pixels.
    pub fn new(width: f64, height: f64) -> Self {
        let mut picture = Self { width, height, body: String::new() };
        picture.add(Element::rect(0.0, 0.0, width, height, 6.0).with("fill", PAPER));
        picture
    }

    /// Draws `element` over what is there.
    pub fn add(&mut self, element: Element) {
        let Element { tag, attributes, text, title } = element;
        let title = title.map(|title| format!("<title>{title}</title>")).unwrap_or_default();
        let text = text.unwrap_or_default();
        let _ = if title.is_empty() && text.is_empty() {
            writeln!(self.body, "<{tag}{attributes}/>")
        } else {
            writeln!(self.body, "<{tag}{attributes}>{title}{text}</{tag}>")
        };
    }

    /// The whole file.
    pub fn finish(self, description: &str) -> String {
        let (width, height) = (number(self.width), number(self.height));
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
             viewBox=\"0 0 {width} {height}\" font-family=\"Helvetica, Arial, DejaVu Sans, sans-serif\" role=\"img\">\n\
             <title>{}</title>\n{}</svg>\n",
            escaped(description),
            self.body
        )
    }
}

/// About how many pixels `text` takes at `size`, for a sans-serif face; errs on the wide side.
pub fn text_width(text: &str, size: f64) -> f64 {
    let em = |character: char| match character {
        'i' | 'j' | 'l' | '.' | ',' | ':' | ';' | '\'' | '|' | '!' => 0.30,
        ' ' | 'f' | 't' | 'r' | '(' | ')' | '[' | ']' | '-' => 0.38,
        'm' | 'w' | 'M' | 'W' | '→' | '×' => 0.90,
        'A'..='Z' => 0.70,
        _ => 0.60,
    };
    size * text.chars().map(em).sum::<f64>()
}

/// With one decimal, none where it is zero; never `-0`.
pub fn number(value: f64) -> String {
    let text = format!("{value:.1}");
    let text = text.strip_suffix(".0").unwrap_or(&text);
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

fn list(points: &[(f64, f64)]) -> String {
    points.iter().map(|(x, y)| format!("{},{}", number(*x), number(*y))).collect::<Vec<_>>().join(" ")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_have_no_negative_zero() {
        assert_eq!([1.0, -0.04, 2.25, 10.0].map(number), ["1", "0", "2.2", "10"]);
    }

    #[test]
    fn markup_in_names_is_escaped() {
        let mut picture = Picture::new(10.0, 10.0);
        picture.add(Element::text(0.0, 0.0, 9.0, "a<b & \"c\""));
        let text = picture.finish("<t>");
        assert!(
            text.contains("a&lt;b &amp; &quot;c&quot;") && text.contains("<title>&lt;t&gt;</title>"),
            "{text}"
        );
    }

    #[test]
    fn a_later_attribute_replaces_an_earlier_one() {
        let mut picture = Picture::new(10.0, 10.0);
        picture.add(Element::text(0.0, 0.0, 9.0, "x").with("fill", "red"));
        let text = picture.finish("t");
        assert!(text.contains("fill=\"red\"") && !text.contains(INK), "{text}");
    }
}
