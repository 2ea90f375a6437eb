//! Rows to columns: every card beside the spine, and every wire that passes a row, gets a horizontal place. Cards one
//! after another without a fork share a lane, which is straight; lanes are ordered so that wires cross little.

use super::card::Shape;
use super::flow::Flow;

/// Between cards of a row.
const GAP: f64 = 14.0;
/// A wire that passes through a row.
const WIRE: f64 = 8.0;
/// Rounds of moving lanes towards the middle of their neighbours, and of ordering them.
const ROUNDS: usize = 40;

/// What takes room in a row.
#[derive(Clone, Debug)]
pub struct Item {
    /// The card; `None` for a wire that passes.
    pub card: Option<usize>,
    /// Its row.
    pub row: usize,
    /// Its centre.
    pub x: f64,
    /// Its width.
    pub width: f64,
    lane: usize,
}

/// A wire from card to card.
#[derive(Clone, Debug)]
pub struct Path {
    /// Where it starts.
    pub source: usize,
    /// Where it ends.
    pub target: usize,
    /// The row below which it leaves the spine, or its source.
    pub exit: usize,
    /// The items on its way, source and target among them where they are not on the spine.
    pub items: Vec<usize>,
}

/// The columns of a region.
#[derive(Clone, Debug, Default)]
pub struct Lanes {
    /// By row and column.
    pub items: Vec<Item>,
    /// Every wire but the spine's own.
    pub paths: Vec<Path>,
    /// `items` by pairs: what leads to what.
    links: Vec<(usize, usize)>,
    /// Lanes from left to right; each is the items of one lane.
    order: Vec<usize>,
}

/// Lays out what is not on the spine, to the right of `left`.
pub fn lanes(flow: &Flow, spine: &[usize], rows: &[usize], left: f64) -> Lanes {
    let mut lanes = Lanes::default();
    let row = |card: usize| rows.get(card).copied().unwrap_or_default();
    for (card, shape) in flow.cards.iter().enumerate().filter(|(card, _)| !spine.contains(card)) {
        let lane = lanes.items.len();
        lanes.items.push(Item { card: Some(card), row: row(card), x: 0.0, width: shape.width, lane });
    }
    for target in 0..flow.cards.len() {
        for &source in flow.feeds(target) {
            let on_spine = spine.iter().position(|&card| card == source);
            let next = on_spine.and_then(|index| spine.get(index + 1)).copied();
            if next != Some(target) {
                // The spine carries the same value down to its next card, so a wire leaves it as late as it can.
                let exit = next.map_or(row(source), |next| row(next).min(row(target)).saturating_sub(1));
                lanes.connect(source, target, exit, row(target));
            }
        }
    }
    lanes.join();
    lanes.arrange();
    lanes.place(left);
    lanes.widen(flow);
    lanes.place(left);
    lanes
}

impl Lanes {
    /// The item of `card`; `None` on the spine.
    pub fn item_of(&self, card: usize) -> Option<usize> {
        self.items.iter().position(|item| item.card == Some(card))
    }

    fn connect(&mut self, source: usize, target: usize, exit: usize, end: usize) {
        let mut items: Vec<usize> = self.item_of(source).into_iter().collect();
        for row in exit + 1..end {
            items.push(self.items.len());
            self.items.push(Item { card: None, row, x: 0.0, width: WIRE, lane: self.items.len() });
        }
        items.extend(self.item_of(target));
        self.links.extend(items.iter().copied().zip(items.iter().copied().skip(1)));
        self.paths.push(Path { source, target, exit, items });
    }

    /// Puts items that follow one another without a fork into one lane.
    fn join(&mut self) {
        let (links, mut lane_of) = (self.links.clone(), (0..self.items.len()).collect::<Vec<_>>());
        for &(from, to) in &links {
            let is_only_way = links.iter().filter(|link| link.0 == from).count() == 1;
            let is_only_source = links.iter().filter(|link| link.1 == to).count() == 1;
            if is_only_way && is_only_source {
                let (old, new) = (lane_of.get(to).copied(), lane_of.get(from).copied().unwrap_or(from));
                for lane in lane_of.iter_mut().filter(|lane| Some(**lane) == old) {
                    *lane = new;
                }
            }
        }
        for (item, lane) in self.items.iter_mut().zip(lane_of) {
            item.lane = lane;
        }
    }

    /// Orders the lanes: along the flow first, depth first; then towards the middle of their neighbours for as long as
    /// that leaves fewer crossings.
    fn arrange(&mut self) {
        let mut order = Vec::new();
        for root in 0..self.items.len() {
            if !self.links.iter().any(|link| link.1 == root) {
                self.visit(root, &mut order);
            }
        }
        let mut best = (self.crossings(&order), order.clone());
        for _ in 0..ROUNDS {
            let mut keyed: Vec<(f64, usize)> =
                order.iter().map(|&lane| (self.middle(lane, &order), lane)).collect();
            keyed.sort_by(|a, b| a.0.total_cmp(&b.0));
            order = keyed.into_iter().map(|(_, lane)| lane).collect();
            let crossings = self.crossings(&order);
            if crossings < best.0 {
                best = (crossings, order.clone());
            }
        }
        self.order = best.1;
    }

    fn visit(&self, item: usize, order: &mut Vec<usize>) {
        let lane = self.lane(item);
        if !order.contains(&lane) {
            order.push(lane);
        }
        for &(_, to) in self.links.iter().filter(|link| link.0 == item) {
            let is_first_visit = !order.contains(&self.lane(to)) || self.lane(to) == lane;
            if is_first_visit {
                self.visit(to, order);
            }
        }
    }

    fn lane(&self, item: usize) -> usize {
        self.items.get(item).map_or(item, |item| item.lane)
    }

    /// The lanes that `lane` is linked to.
    fn neighbours(&self, lane: usize) -> Vec<usize> {
        let ends = self.links.iter().map(|&(from, to)| (self.lane(from), self.lane(to)));
        ends.filter(|(a, b)| a != b)
            .filter_map(|(a, b)| if a == lane { Some(b) } else { (b == lane).then_some(a) })
            .collect()
    }

    /// The barycentre of a lane's neighbours in `order`; its own place where it has none.
    fn middle(&self, lane: usize, order: &[usize]) -> f64 {
        let place = |lane: &usize| order.iter().position(|other| other == lane).unwrap_or_default() as f64;
        let neighbours = self.neighbours(lane);
        if neighbours.is_empty() {
            return place(&lane);
        }
        neighbours.iter().map(place).sum::<f64>() / neighbours.len() as f64
    }

    fn crossings(&self, order: &[usize]) -> usize {
        let place = |item: usize| order.iter().position(|&lane| lane == self.lane(item));
        let row = |item: usize| self.items.get(item).map(|item| item.row);
        let cross = |a: &(usize, usize), b: &(usize, usize)| {
            row(a.0) == row(b.0) && place(a.0) < place(b.0) && place(a.1) > place(b.1)
        };
        self.links.iter().map(|a| self.links.iter().filter(|b| cross(a, b)).count()).sum()
    }

    /// Packs the lanes to the left, then lets each move to the middle of its neighbours as far as there is room.
    fn place(&mut self, left: f64) {
        let order = self.order.clone();
        for &lane in &order {
            let (low, _) = self.room(lane, left);
            self.shift(lane, low);
        }
        for round in 0..ROUNDS {
            for index in 0..order.len() {
                let turn = if round % 2 == 0 { index } else { order.len() - 1 - index };
                let Some(&lane) = order.get(turn) else { continue };
                let neighbours = self.neighbours(lane);
                let (low, high) = self.room(lane, left);
                if !neighbours.is_empty() && low < high {
                    let sum: f64 = neighbours.iter().map(|&other| self.x(other)).sum();
                    self.shift(lane, (sum / neighbours.len() as f64).clamp(low, high));
                }
            }
        }
        for item in &mut self.items {
            item.x = item.x.round();
        }
    }

    fn x(&self, lane: usize) -> f64 {
        self.items.iter().find(|item| item.lane == lane).map_or(0.0, |item| item.x)
    }

    fn shift(&mut self, lane: usize, x: f64) {
        for item in self.items.iter_mut().filter(|item| item.lane == lane) {
            item.x = x;
        }
    }

    /// Between which centres a lane may be without touching those to its left and right.
    fn room(&self, lane: usize, left: f64) -> (f64, f64) {
        let place = |lane: usize| self.order.iter().position(|&other| other == lane);
        let (mut low, mut high) = (left, f64::INFINITY);
        for item in self.items.iter().filter(|item| item.lane == lane) {
            low = low.max(left + item.width / 2.0);
            for other in self.items.iter().filter(|other| other.row == item.row && other.lane != lane) {
                let apart = f64::midpoint(item.width, other.width) + GAP;
                if place(other.lane) < place(lane) {
                    low = low.max(other.x + apart);
                } else if other.x > 0.0 {
                    high = high.min(other.x - apart);
                }
            }
        }
        (low, high)
    }

    /// A box that several wires enter reaches over all of them.
    fn widen(&mut self, flow: &Flow) {
        let span = |item: usize| {
            let sources =
                self.links.iter().filter(|link| link.1 == item).filter_map(|link| self.items.get(link.0));
            let (low, high) = sources.fold((f64::INFINITY, 0.0_f64), |(l, h), s| (l.min(s.x), h.max(s.x)));
            high - low
        };
        let spans: Vec<f64> = (0..self.items.len()).map(span).collect();
        for (item, span) in self.items.iter_mut().zip(spans) {
            let card = item.card.and_then(|card| flow.cards.get(card));
            if card.is_some_and(|card| matches!(card.shape, Shape::Box(_))) && span > 1.0 {
                item.width = item.width.max(span + 60.0);
            }
        }
    }
}
