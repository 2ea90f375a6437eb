//! A flow to places: where each card stands, and the orthogonal wires between them. The spine is at `x = 0`.

use super::card::{Card, Shape};
use super::flow::{self, Flow};
use super::lane::{self, Lanes, Path};

/// Between rows, where no wire turns.
const CHANNEL: f64 = 14.0;
/// Between wires that turn in the same channel.
const TRACK: f64 = 8.0;
/// From the spine's widest card to the first lane.
const BESIDE_SPINE: f64 = 22.0;

/// A point in pixels.
pub type Point = (f64, f64);

/// A region, laid out.
#[derive(Clone, Debug, Default)]
pub struct Layout {
    /// Each card, as wide as its place wants it, and its centre.
    pub cards: Vec<(Card, Point)>,
    /// Wires beside the spine, from source to target.
    pub wires: Vec<Vec<Point>>,
    /// Where a wire leaves another or the spine.
    pub forks: Vec<Point>,
    /// How far the cards reach to the left of the spine.
    pub left: f64,
    /// And to its right.
    pub right: f64,
    /// From the first row's top to the last row's bottom.
    pub height: f64,
}

/// A horizontal stretch of wire in the channel below a row.
#[derive(Clone, Copy, Debug)]
struct Turn {
    source: usize,
    channel: usize,
    from: f64,
    to: f64,
}

/// Where a wire enters its target.
enum Entry {
    Top(f64),
    Side(f64),
}

/// Places everything.
pub fn layout(flow: &Flow) -> Layout {
    let spine = flow.spine();
    let rows = flow::rows(flow, &spine);
    let half = |card: &usize| flow.cards.get(*card).map_or(0.0, |card| card.width / 2.0);
    let left = spine.iter().map(half).fold(0.0, f64::max);
    let lanes = lane::lanes(flow, &spine, &rows, left + BESIDE_SPINE);
    let cards: Vec<Card> =
        flow.cards.iter().enumerate().map(|(index, card)| widened(card, &lanes, index)).collect();
    let page = Page { flow, rows: &rows, lanes: &lanes, cards: &cards };
    let turns: Vec<Turn> = lanes.paths.iter().flat_map(|path| page.turns(path)).collect();
    let tracks = tracks(&turns);
    let ys = page.row_centres(&turns, &tracks);
    let track_y = |turn: &Turn| {
        let track =
            tracks.iter().find(|(source, channel, _)| (*source, *channel) == (turn.source, turn.channel));
        page.row_bottom(turn.channel, &ys) + CHANNEL / 2.0 + TRACK * track.map_or(0.0, |found| found.2 as f64)
    };
    let centre = |card: usize| (page.x(card), ys.get(page.row(card)).copied().unwrap_or_default());
    let mut forks: Vec<Point> = Vec::new();
    let wires = lanes.paths.iter().map(|path| page.wire(path, &centre, &track_y, &mut forks)).collect();
    let right = lanes.items.iter().map(|item| item.x + item.width / 2.0).fold(left, f64::max);
    let last_row = rows.iter().copied().max().unwrap_or_default();
    let height = page.row_bottom(last_row, &ys);
    let places: Vec<Point> = (0..cards.len()).map(centre).collect();
    Layout { cards: cards.iter().cloned().zip(places).collect(), wires, forks, left, right, height }
}

fn widened(card: &Card, lanes: &Lanes, index: usize) -> Card {
    let width =
        lanes.item_of(index).and_then(|item| lanes.items.get(item)).map_or(card.width, |item| item.width);
    Card { width, ..card.clone() }
}

/// What the rows and columns say together.
struct Page<'a> {
    flow: &'a Flow,
    rows: &'a [usize],
    lanes: &'a Lanes,
    cards: &'a [Card],
}

impl Page<'_> {
    fn row(&self, card: usize) -> usize {
        self.rows.get(card).copied().unwrap_or_default()
    }

    fn x(&self, card: usize) -> f64 {
        self.lanes.item_of(card).and_then(|item| self.lanes.items.get(item)).map_or(0.0, |item| item.x)
    }

    /// The columns a wire runs in: the spine or its source first, then what it passes.
    fn columns(&self, path: &Path) -> Vec<f64> {
        let is_target =
            |item: &&usize| self.lanes.items.get(**item).is_some_and(|i| i.card == Some(path.target));
        let passed = path.items.iter().filter(|item| !is_target(item));
        let mut columns: Vec<f64> =
            passed.filter_map(|item| self.lanes.items.get(*item)).map(|i| i.x).collect();
        if self.lanes.item_of(path.source).is_none() {
            columns.insert(0, 0.0);
        }
        columns
    }

    fn entry(&self, path: &Path, from: f64) -> Entry {
        let x = self.x(path.target);
        let Some(card) = self.cards.get(path.target) else { return Entry::Top(x) };
        let reach = card.width / 2.0;
        match card.shape {
            Shape::Box(_) if self.flow.feeds(path.target).len() > 1 => {
                Entry::Top(from.clamp(x - reach + 8.0, x + reach - 8.0))
            }
            Shape::Circle if (from - x).abs() > reach && self.is_clear(path, from, x) => {
                Entry::Side(if from < x { x - reach } else { x + reach })
            }
            Shape::Stream | Shape::Box(_) | Shape::Pill(_) | Shape::Diamond(_) | Shape::Circle => {
                Entry::Top(x)
            }
        }
    }

    /// Whether the target's row is free from `from` to the target at `x`.
    fn is_clear(&self, path: &Path, from: f64, x: f64) -> bool {
        let row = self.row(path.target);
        let (low, high) = (from.min(x) - 4.0, from.max(x) + 4.0);
        let in_way = |item: &&lane::Item| item.row == row && item.card != Some(path.target);
        let others = self.lanes.items.iter().filter(in_way);
        let crosses_spine = low < -4.0 || (low < 4.0 && x != 0.0);
        !crosses_spine
            && others.map(|i| (i.x - i.width / 2.0, i.x + i.width / 2.0)).all(|(l, r)| r < low || l > high)
    }

    fn turns(&self, path: &Path) -> Vec<Turn> {
        let mut columns = self.columns(path);
        let from = columns.last().copied().unwrap_or_default();
        if let Entry::Top(port) = self.entry(path, from) {
            columns.push(port);
        }
        let turn = |(index, (from, to)): (usize, (f64, f64))| Turn {
            source: path.source,
            channel: path.exit + index,
            from,
            to,
        };
        let steps = columns.iter().copied().zip(columns.iter().copied().skip(1));
        steps.enumerate().map(turn).filter(|turn| (turn.from - turn.to).abs() > 0.5).collect()
    }

    fn row_height(&self, row: usize) -> f64 {
        let of_row = self.cards.iter().enumerate().filter(|(card, _)| self.row(*card) == row);
        of_row.map(|(_, card)| card.height).fold(0.0, f64::max)
    }

    fn row_bottom(&self, row: usize, ys: &[f64]) -> f64 {
        ys.get(row).copied().unwrap_or_default() + self.row_height(row) / 2.0
    }

    fn row_centres(&self, turns: &[Turn], tracks: &[(usize, usize, usize)]) -> Vec<f64> {
        let mut y = 0.0;
        let last = self.rows.iter().copied().max().unwrap_or_default();
        let mut centres = Vec::new();
        for row in 0..=last {
            let height = self.row_height(row);
            centres.push(y + height / 2.0);
            let of_channel = tracks.iter().filter(|(_, channel, _)| *channel == row);
            let num_tracks = of_channel.map(|(_, _, track)| track + 1).max().unwrap_or_default();
            let turning = if turns.iter().any(|turn| turn.channel == row) { 6.0 } else { 0.0 };
            y += height + CHANNEL + turning + TRACK * num_tracks.saturating_sub(1) as f64;
        }
        centres
    }

    fn wire(
        &self,
        path: &Path,
        centre: &impl Fn(usize) -> Point,
        track_y: &impl Fn(&Turn) -> f64,
        forks: &mut Vec<Point>,
    ) -> Vec<Point> {
        let columns = self.columns(path);
        let (source, target) = (centre(path.source), centre(path.target));
        let half = |card: usize| self.cards.get(card).map_or(0.0, |card| card.height / 2.0);
        let mut points = Vec::new();
        let from_spine = self.lanes.item_of(path.source).is_none();
        if !from_spine {
            points.push((source.0, source.1 + half(path.source)));
        }
        for turn in self.turns(path) {
            let y = track_y(&turn);
            let is_fork =
                if from_spine { points.is_empty() } else { self.flow.readers(path.source).len() > 1 };
            if is_fork && turn.channel == path.exit && !forks.contains(&(turn.from, y)) {
                forks.push((turn.from, y));
            }
            points.extend([(turn.from, y), (turn.to, y)]);
        }
        match self.entry(path, columns.last().copied().unwrap_or_default()) {
            Entry::Top(port) => points.push((port, target.1 - half(path.target))),
            Entry::Side(edge) => {
                points.extend([(columns.last().copied().unwrap_or_default(), target.1), (edge, target.1)]);
            }
        }
        points
    }
}

/// A track for every (source, channel): wires of one source share theirs, wires of different sources never overlap.
fn tracks(turns: &[Turn]) -> Vec<(usize, usize, usize)> {
    let mut spans: Vec<(usize, usize, f64, f64)> = Vec::new();
    for turn in turns {
        let (low, high) = (turn.from.min(turn.to), turn.from.max(turn.to));
        match spans.iter_mut().find(|span| (span.0, span.1) == (turn.source, turn.channel)) {
            Some(span) => (span.2, span.3) = (span.2.min(low), span.3.max(high)),
            None => spans.push((turn.source, turn.channel, low, high)),
        }
    }
    spans.sort_by(|a, b| a.1.cmp(&b.1).then(a.2.total_cmp(&b.2)).then(a.0.cmp(&b.0)));
    let mut ends: Vec<(usize, usize, f64)> = Vec::new();
    let mut tracks = Vec::new();
    for (source, channel, low, high) in spans {
        let free = ends.iter_mut().find(|(of, _, end)| *of == channel && *end + TRACK < low);
        if let Some((_, track, end)) = free {
            tracks.push((source, channel, *track));
            *end = high;
        } else {
            let track = ends.iter().filter(|(of, _, _)| *of == channel).count();
            ends.push((channel, track, high));
            tracks.push((source, channel, track));
        }
    }
    tracks
}
