//! Where a scale vector folds, as a table.

/// A parameter into which γ can be multiplied without changing the function: γ and its channels are balanced against each other.
#[derive(Debug)]
pub struct Absorber {
    /// As in its [`super::ParamRow`]; of the scale vector's own layer.
    pub path: &'static str,
    /// Its tensor, read as so many matrices of so many rows and columns.
    pub matrices: [i64; 3],
    /// What takes γ.
    pub side: Side,
    /// Which channels take which entries of γ.
    pub entries: Entries,
}

/// Of matrices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// An input channel each.
    Columns,
    /// An output channel each.
    Rows,
}

/// For each channel, counted over all matrices, the entry of γ that multiplies it.
#[derive(Clone, Copy, Debug)]
pub enum Entries {
    /// The entry of the same number.
    Each,
    /// Those of these blocks; no entry multiplies the others.
    Blocks(&'static [Block]),
}

/// Channels in a row, and the entries they take as a strided view of γ.
#[derive(Debug)]
pub struct Block {
    /// The first channel.
    pub channel: i64,
    /// The entry that it takes.
    pub entry: i64,
    /// The view's dimensions, outermost first.
    pub sizes: &'static [i64],
    /// How far entries are apart in each.
    pub strides: &'static [i64],
}

impl Absorber {
    /// One that takes γ by its columns.
    pub const fn columns(path: &'static str, matrices: [i64; 3], entries: Entries) -> Self {
        Self { path, matrices, side: Side::Columns, entries }
    }

    /// One that takes γ by its rows.
    pub const fn rows(path: &'static str, matrices: [i64; 3], entries: Entries) -> Self {
        Self { path, matrices, side: Side::Rows, entries }
    }
}
