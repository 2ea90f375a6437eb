//! What the layout needs of a region: cards, what feeds which, and the residual stream as its spine.

use super::card::Card;
use std::collections::VecDeque;

/// A region as cards. Every card follows those that feed it.
#[derive(Clone, Debug, Default)]
pub struct Flow {
    /// The cards.
    pub cards: Vec<Card>,
    /// Of each card, the cards that feed it, without repetition.
    pub inputs: Vec<Vec<usize>>,
    /// The card whose value the region hands on.
    pub output: usize,
}

impl Flow {
    /// The cards fed by `card`.
    pub fn readers(&self, card: usize) -> Vec<usize> {
        (card + 1..self.cards.len()).filter(|&reader| self.feeds(reader).contains(&card)).collect()
    }

    /// The cards that feed `card`.
    pub fn feeds(&self, card: usize) -> &[usize] {
        self.inputs.get(card).map_or(&[], Vec::as_slice)
    }

    /// The shortest way from the first card to the output: what a residual model adds its sub-layers to.
    pub fn spine(&self) -> Vec<usize> {
        let mut came_from = vec![None; self.cards.len()];
        let mut queue = VecDeque::from([0]);
        while let Some(card) = queue.pop_front() {
            for reader in self.readers(card) {
                if let Some(slot) = came_from.get_mut(reader).filter(|slot| slot.is_none()) {
                    *slot = Some(card);
                    queue.push_back(reader);
                }
            }
        }
        let previous = |card: &usize| came_from.get(*card).copied().flatten();
        let mut spine: Vec<usize> = std::iter::successors(Some(self.output), previous).collect();
        spine.reverse();
        spine
    }
}

/// The row of each card. Rows follow the flow; where a branch joins the spine it has the row to itself, so that its
/// wire meets nothing on its way.
pub fn rows(flow: &Flow, spine: &[usize]) -> Vec<usize> {
    let mut row_of: Vec<Option<usize>> = vec![None; flow.cards.len()];
    for row in 0.. {
        let above = |card: &usize| row_of.get(*card).copied().flatten().is_some_and(|found| found < row);
        let waiting: Vec<usize> = (0..flow.cards.len()).filter(|&c| row_of.get(c) == Some(&None)).collect();
        if waiting.is_empty() {
            break;
        }
        let ready: Vec<usize> =
            waiting.into_iter().filter(|&card| flow.feeds(card).iter().all(above)).collect();
        let join = ready.iter().copied().find(|card| spine.contains(card) && flow.feeds(*card).len() > 1);
        for card in join.map_or(ready, |join| vec![join]) {
            if let Some(slot) = row_of.get_mut(card) {
                *slot = Some(row);
            }
        }
    }
    row_of.into_iter().map(Option::unwrap_or_default).collect()
}
