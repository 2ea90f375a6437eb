//! Rows of text in aligned columns.

/// On which side of its column a cell stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// Words.
    Left,
    /// Numbers.
    Right,
}

/// The rows, each a line that starts with `indent`, columns two spaces apart, no space at the end of a line. Rows may
/// be short; columns beyond `aligns` stand left.
pub fn table(indent: &str, aligns: &[Align], rows: &[Vec<String>]) -> String {
    let num_columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width_of = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..num_columns).map(width_of).collect();
    let mut text = String::new();
    for row in rows {
        let mut line = indent.to_owned();
        for (column, (cell, &width)) in row.iter().zip(&widths).enumerate() {
            if column > 0 {
                line.push_str("  ");
            }
            match aligns.get(column).unwrap_or(&Align::Left) {
                Align::Left => line.push_str(&format!("{cell:<width$}")),
                Align::Right => line.push_str(&format!("{cell:>width$}")),
            }
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// The cells of a row.
pub fn row<const N: usize>(cells: [&str; N]) -> Vec<String> {
    cells.map(str::to_owned).to_vec()
}

#[cfg(test)]
mod tests {
    use super::{Align, row, table};

    #[test]
    fn columns_line_up_and_lines_end_at_their_last_letter() {
        let rows = [row(["γ", "12", "a"]), row(["norm", "3", ""])];
        assert_eq!(table("  ", &[Align::Left, Align::Right], &rows), "  γ     12  a\n  norm   3\n");
    }
}
