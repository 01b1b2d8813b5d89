//! The items of a batch part by part, made on two threads and taken in their order.

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, TryRecvError};
use std::sync::{Mutex, PoisonError};

use tributary_core::{Fingerprint, Item};

use super::Received;

/// Items made together: at most so many, of entries that lie within so many bytes.
const PART: usize = 256;
const PART_BYTES: u64 = 1 << 20;
/// Parts that the other thread makes before they are asked for.
pub(super) const PARTS_AHEAD: usize = 4;
/// Parts that are kept because others are to come before them.
const EARLY: usize = 2;

/// Items that follow each other, and what stands for the entry of each.
#[derive(Clone, Copy)]
pub(super) struct Lot<'r> {
    pub(super) items: &'r [Item],
    pub(super) entries: &'r [Fingerprint],
}

/// Items that are not yet made, in parts with numbers from 0. Whoever makes one takes the next.
pub(super) struct Parts<'r>(Mutex<(usize, Lot<'r>)>);

impl<'r> Parts<'r> {
    pub(super) fn of(received: &'r Received) -> Parts<'r> {
        let (items, entries) = (received.batch.items(), received.batch.entries());
        Parts(Mutex::new((0, Lot { items, entries })))
    }

    pub(super) fn next(&self) -> Option<(usize, Lot<'r>)> {
        let mut left = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (number, Lot { items, entries }) = *left;
        let end = items.first()?.span.offset.saturating_add(PART_BYTES);
        let fits = |item: &&Item| item.span.offset.saturating_add(item.span.len) <= end;
        let fitting = items.iter().take(PART).take_while(fits).count().max(1);
        let (items, entries) = (items.split_at(fitting), entries.split_at(fitting));
        let part = |(items, entries)| Lot { items, entries };
        *left = (number + 1, part((items.1, entries.1)));
        Some((number, part((items.0, entries.0))))
    }
}

/// Parts in their order, as another thread makes them; where one is yet to come, `make` makes one here that nobody makes yet.
pub(super) struct InTurn<'p, 'r, P, M> {
    parts: &'p Parts<'r>,
    come: Receiver<(usize, P)>,
    make: M,
    next: usize,
    /// Those whose turn has not come.
    early: BTreeMap<usize, P>,
}

impl<'p, 'r, P, M: FnMut(Lot<'r>) -> P> InTurn<'p, 'r, P, M> {
    pub(super) fn new(
        parts: &'p Parts<'r>,
        come: Receiver<(usize, P)>,
        make: M,
    ) -> InTurn<'p, 'r, P, M> {
        InTurn {
            parts,
            come,
            make,
            next: 0,
            early: BTreeMap::new(),
        }
    }

    /// One more part, whichever it is; `None` when the other thread has ended.
    fn one_more(&mut self) -> Option<(usize, P)> {
        match self.come.try_recv() {
            Ok(part) => return Some(part),
            Err(TryRecvError::Disconnected) => return None,
            Err(TryRecvError::Empty) => {}
        }
        // So many and no more: the other thread may be slow for long.
        let room = self.early.len() < EARLY;
        match room.then(|| self.parts.next()).flatten() {
            Some((number, lot)) => Some((number, (self.make)(lot))),
            None => self.come.recv().ok(),
        }
    }
}

impl<'r, P, M: FnMut(Lot<'r>) -> P> Iterator for InTurn<'_, 'r, P, M> {
    type Item = P;

    fn next(&mut self) -> Option<P> {
        loop {
            if let Some(part) = self.early.remove(&self.next) {
                self.next += 1;
                return Some(part);
            }
            let (number, part) = self.one_more()?;
            self.early.insert(number, part);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::body::{BodyLimits, Collector};
    use std::sync::mpsc::sync_channel;
    use tributary_core::{BatchReader, Form, Salt};

    /// What a list of so many tokens is read to, each followed by this much white space.
    fn received(tokens: usize, space: usize) -> Received {
        let space = " ".repeat(space);
        let tokens: Vec<_> = (0..tokens).map(|n| format!("\"t-{n}\"{space}")).collect();
        let body = format!("[{}]", tokens.join(",")).into_bytes();
        let mut reader = BatchReader::new(Form::Payload, Salt::new([7; 32]));
        reader.feed(&body).unwrap();
        let batch = reader.finish().unwrap().1.unwrap();
        let limits = BodyLimits {
            max: 1 << 30,
            spool_above: 1 << 30,
            spool_dir: "".into(),
        };
        let mut collector = Collector::new(&limits);
        collector.push(&body).unwrap();
        Received {
            body: collector.finish().unwrap(),
            batch,
        }
    }

    #[test]
    fn a_part_has_no_more_items_and_bytes_than_it_may() {
        for (tokens, space, expected) in [
            (0, 0, &[][..]),
            (PART + 1, 0, &[PART, 1]),
            (5, 400_000, &[3, 2]),
            (3, 2_000_000, &[1, 1, 1]),
        ] {
            let received = received(tokens, space);
            let parts = Parts::of(&received);
            let all: Vec<_> = std::iter::from_fn(|| parts.next()).collect();
            let lens: Vec<_> = all.iter().map(|(_, lot)| lot.items.len()).collect();
            assert_eq!(lens, expected, "{tokens} {space}");
            let items: Vec<_> = all.iter().flat_map(|(_, lot)| lot.items).copied().collect();
            assert_eq!(items, received.batch.items());
            let entries = all.iter().flat_map(|(_, lot)| lot.entries).copied();
            assert_eq!(entries.collect::<Vec<_>>(), received.batch.entries());
        }
    }

    #[test]
    fn parts_are_in_turn_whoever_made_them_and_few_are_made_early() {
        let received = received(20 * PART, 0);
        let parts = Parts::of(&received);
        let (send, come) = sync_channel(PARTS_AHEAD);
        let number_of = |lot: Lot<'_>| usize::try_from(lot.items[0].index).unwrap() / PART;
        let (first, _) = parts.next().unwrap();
        let mut turn = InTurn::new(&parts, come, number_of);
        for number in 1..=EARLY {
            let (made, part) = turn.one_more().unwrap();
            assert_eq!(made, number);
            turn.early.insert(made, part);
        }
        std::thread::scope(|scope| {
            scope.spawn(move || {
                std::thread::sleep(std::time::Duration::from_millis(20));
                send.send((first, first)).unwrap();
            });
            let waited_for = turn.one_more().unwrap();
            assert_eq!(waited_for, (0, 0));
            turn.early.insert(waited_for.0, waited_for.1);
        });
        // The other thread has ended. What was made is still taken, in its turn.
        assert_eq!(turn.collect::<Vec<_>>(), [0, 1, 2]);
    }
}
