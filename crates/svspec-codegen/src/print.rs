//! Tokens to formatted Rust, comments and blank lines kept.
//!
//! The printer drops both, so they travel as documentation: `#[doc = "~ text"]` becomes `// text`, and `#[doc = "~"]`
//! becomes a blank line.

use crate::GenerateError;
use proc_macro2::TokenStream;
use quote::quote;

const MARK: &str = "///~";

/// The printer's line length; the generated crate's `rustfmt.toml` says the same.
const WIDTH: usize = 89;

/// A `//` comment on a line of its own, before the item, statement, field or element that follows.
pub fn comment(text: &str) -> TokenStream {
    let text = format!("~ {text}");
    quote!(#[doc = #text])
}

/// A blank line before what follows.
pub fn blank() -> TokenStream {
    quote!(#[doc = "~"])
}

/// Documentation, one attribute per line.
pub fn docs<'a>(lines: impl IntoIterator<Item = &'a str>) -> TokenStream {
    let lines =
        lines.into_iter().map(|line| if line.is_empty() { String::new() } else { format!(" {line}") });
    quote!(#(#[doc = #lines])*)
}

/// The file's text: `//!` lines from `docs`, then the items.
pub fn file(name: &'static str, docs: &[String], items: TokenStream) -> Result<String, GenerateError> {
    let file =
        syn::parse2::<syn::File>(items).map_err(|source| GenerateError::NotRust { file: name, source })?;
    let mut text = String::new();
    for line in docs {
        text.push_str(if line.is_empty() { "//!" } else { "//! " });
        text.push_str(line);
        text.push('\n');
    }
    let code = prettyplease::unparse(&file);
    for line in broken_as_rustfmt(&code).iter().flat_map(|line| one_field_a_line(line)) {
        text.push_str(&with_comment(&line));
        text.push('\n');
    }
    Ok(text)
}

/// A `let` whose value was broken over lines although it fits on the next line whole is broken after `=` instead, as
/// rustfmt does; one that is a call whose last argument is a closure is broken in the closure, and one that is a call of an
/// array between its elements.
fn broken_as_rustfmt(code: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut rest = code.lines();
    while let Some(line) = rest.next() {
        let statement = Statement::starting(line, rest.clone());
        match statement.and_then(|statement| Some((statement.num_lines, statement.as_rustfmt()?))) {
            Some((num_lines, as_rustfmt)) => {
                lines.extend(as_rustfmt);
                rest.by_ref().take(num_lines - 1).for_each(drop);
            }
            None => lines.push(line.to_owned()),
        }
    }
    lines
}

/// A field whose value is a struct of one field, `name: Path { field: value },`, has that on a line of its own, as rustfmt
/// does; the printer breaks larger ones only.
fn one_field_a_line(line: &str) -> Vec<String> {
    let code = line.trim_start();
    let indent = line.len() - code.len();
    let parts = || {
        let (name, value) = code.split_once(": ")?;
        let (path, field) = value.strip_suffix(" },")?.split_once(" { ")?;
        let is_path = path.starts_with(|first: char| first.is_ascii_uppercase()) && !path.contains(' ');
        (is_path && !field.contains(['{', ','])).then_some((name, path, field))
    };
    match parts() {
        None => vec![line.to_owned()],
        Some((name, path, field)) => vec![
            format!("{:indent$}{name}: {path} {{", ""),
            format!("{:indent$}    {field},", ""),
            format!("{:indent$}}},", ""),
        ],
    }
}

/// A `let` of several lines.
struct Statement {
    indent: usize,
    /// Up to and with `=`.
    name: String,
    /// The value and `;`, joined to one line.
    value: String,
    num_lines: usize,
}

impl Statement {
    /// The statement that starts with `line`, if it is a `let` that goes on in `rest`.
    fn starting<'a>(line: &str, rest: impl Iterator<Item = &'a str>) -> Option<Self> {
        let code = line.trim_start();
        let indent = line.len() - code.len();
        let (name, start) = code.split_once(" = ")?;
        if !name.starts_with("let ") || start.ends_with(';') {
            return None;
        }
        let mut value = start.to_owned();
        for (index, line) in rest.enumerate() {
            let piece = line.trim_start();
            if piece.starts_with([')', ']']) && value.ends_with(',') {
                value.pop();
            }
            let is_joined = value.ends_with(['(', '[']) || piece.starts_with(['.', ')', ']']);
            value.push_str(if is_joined { "" } else { " " });
            value.push_str(piece);
            if piece.ends_with(';') {
                return Some(Self { indent, name: format!("{name} ="), value, num_lines: index + 2 });
            }
        }
        None
    }

    fn as_rustfmt(&self) -> Option<Vec<String>> {
        self.on_two_lines().map(Vec::from).or_else(|| self.in_closure()).or_else(|| self.in_array())
    }

    /// Of `let y = f(x, |a| value);`.
    fn in_closure(&self) -> Option<Vec<String>> {
        let Self { indent, name, value, .. } = self;
        let call = value.strip_suffix(");").filter(|call| !call.contains(';'))?;
        let (arguments, closure) = call.split_once(", |")?;
        let (parameters, body) = closure.split_once("| ")?;
        let body = body.strip_prefix("{ ").and_then(|body| body.strip_suffix(" }")).unwrap_or(body);
        let start = format!("{:indent$}{name} {arguments}, |{parameters}|", "");
        let next = format!("{:indent$}    {arguments}, |{parameters}| {body});", "");
        if next.len() <= WIDTH {
            return Some(vec![format!("{:indent$}{name}", ""), next]);
        }
        let lines =
            [format!("{start} {{"), format!("{:indent$}    {body}", ""), format!("{:indent$}}});", "")];
        lines.iter().all(|line| line.len() <= WIDTH).then(|| Vec::from(lines))
    }

    /// Of `let y = f(&[a, b]);`.
    fn in_array(&self) -> Option<Vec<String>> {
        let Self { indent, name, value, .. } = self;
        let (call, elements) = value.strip_suffix("]);")?.split_once("(&[")?;
        let is_plain = !call.contains('(') && !elements.contains(['(', '[', '{']);
        is_plain.then(|| {
            let elements = elements.split(", ").map(|element| format!("{:indent$}    {element},", ""));
            let start = format!("{:indent$}{name} {call}(&[", "");
            [start].into_iter().chain(elements).chain([format!("{:indent$}]);", "")]).collect()
        })
    }

    fn on_two_lines(&self) -> Option<[String; 2]> {
        let deeper = self.indent + 4;
        let fits = deeper + self.value.len() <= WIDTH && !self.value.contains(['{', '|']);
        fits.then(|| {
            [
                format!("{:indent$}{}", "", self.name, indent = self.indent),
                format!("{:deeper$}{}", "", self.value),
            ]
        })
    }
}

fn with_comment(line: &str) -> String {
    let code = line.trim_start();
    match code.strip_prefix(MARK) {
        None => line.to_owned(),
        Some("") => String::new(),
        Some(comment) => {
            let indent = line.strip_suffix(code).unwrap_or("");
            format!("{indent}//{comment}")
        }
    }
}
