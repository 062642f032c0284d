//! Tables of fixed columns, plain or with box lines.

use super::Style;

const BORDER: &str = "0;90";
const HEADER: &str = "1;36";

/// One column.
#[derive(Clone, Copy)]
pub(super) struct Column {
    pub title: &'static str,
    /// Characters between the blanks at both sides.
    pub width: usize,
    pub align: Align,
    pub overflow: Overflow,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Align {
    Left,
    Right,
}

/// What happens to a text that is too long.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Overflow {
    /// Cut, with `...` at the end.
    Cut,
    /// Continued on further lines.
    Wrap,
}

/// One cell; `colour` is an SGR parameter or `None`.
pub(super) struct Cell {
    pub text: String,
    pub colour: Option<&'static str>,
}

impl Cell {
    pub(super) fn plain(text: impl Into<String>) -> Cell {
        Cell { text: text.into(), colour: None }
    }
}

/// `text` in `colour` if colours are wanted.
pub(super) fn paint(text: &str, colour: Option<&str>, style: Style) -> String {
    match colour {
        Some(colour) if style.colour => format!("\x1b[{colour}m{text}\x1b[0m"),
        _ => text.to_owned(),
    }
}

/// The table; every line ends in a newline. Without rows the header line stands alone.
pub(super) fn table(columns: &[Column], rows: &[Vec<Cell>], style: Style) -> String {
    let mut out = String::new();
    if style.boxes {
        rule(&mut out, columns, ['┌', '┬', '┐'], style);
    }
    let bar = if style.boxes { paint("│", Some(BORDER), style) } else { String::new() };
    out.push_str(&bar);
    for column in columns {
        let title = fit(column.title, column.width, Align::Left);
        out.push_str(&format!(" {} {bar}", paint(&title, Some(HEADER), style)));
    }
    out.push('\n');
    for row in rows {
        if style.boxes {
            rule(&mut out, columns, ['├', '┼', '┤'], style);
        }
        let cells: Vec<Vec<String>> = columns.iter().zip(row).map(|(column, cell)| lines(column, &cell.text)).collect();
        let height = cells.iter().map(Vec::len).max().unwrap_or(0);
        for line in 0..height {
            out.push_str(&bar);
            for ((column, cell), texts) in columns.iter().zip(row).zip(&cells) {
                let text = texts.get(line).map_or("", String::as_str);
                let padded = format!("{} ", fit(text, column.width, column.align));
                out.push_str(&format!(" {}{bar}", paint(&padded, cell.colour, style)));
            }
            out.push('\n');
        }
    }
    if style.boxes {
        rule(&mut out, columns, ['└', '┴', '┘'], style);
    }
    out
}

fn rule(out: &mut String, columns: &[Column], [left, middle, right]: [char; 3], style: Style) {
    let parts: Vec<String> = columns.iter().map(|column| "─".repeat(column.width + 2)).collect();
    let line = format!("{left}{}{right}", parts.join(&middle.to_string()));
    out.push_str(&paint(&line, Some(BORDER), style));
    out.push('\n');
}

fn fit(text: &str, width: usize, align: Align) -> String {
    match align {
        Align::Left => format!("{text:<width$}"),
        Align::Right => format!("{text:>width$}"),
    }
}

/// The lines of a cell, each at most as wide as its column.
fn lines(column: &Column, text: &str) -> Vec<String> {
    let characters: Vec<char> = text.chars().collect();
    if characters.len() <= column.width {
        return vec![text.to_owned()];
    }
    match column.overflow {
        Overflow::Cut => {
            let kept: String = characters.iter().take(column.width.saturating_sub(3)).collect();
            vec![kept + "..."]
        }
        Overflow::Wrap => characters.chunks(column.width.max(1)).map(|line| line.iter().collect()).collect(),
    }
}
