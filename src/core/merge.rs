use std::fmt;

use zeroize::Zeroizing;

use super::document::{Document, Dollars, Entry, Kind, index};
use super::name::VarName;
use super::path::LevelPath;
use super::secret::SecretString;

/// One level of a chain: where it stands and what it says.
#[derive(Clone, Debug)]
pub struct Layer {
    path: LevelPath,
    document: Document,
}

impl Layer {
    /// A level with its document.
    pub fn new(path: LevelPath, document: Document) -> Self {
        Self { path, document }
    }

    /// Where the level stands.
    pub fn path(&self) -> &LevelPath {
        &self.path
    }

    /// What the level says itself.
    pub fn document(&self) -> &Document {
        &self.document
    }

    #[cfg(feature = "vault")]
    pub(crate) fn into_document(self) -> Document {
        self.document
    }
}

/// What a chain of levels amounts to: for each name the value of the most specific level that has it, and where all of
/// them stand. Ascending by name.
pub struct Resolved {
    layers: Vec<Layer>,
    rows: Vec<Row>,
    /// The entries that lost, each run of a name most specific first.
    losers: Vec<Place>,
}

/// An entry, by the index of its layer and its own.
#[derive(Clone, Copy)]
struct Place {
    layer: u32,
    entry: u32,
}

struct Row {
    winner: Place,
    losers_start: u32,
    losers_end: u32,
    /// What counts instead of the winner's value: expanded, or the process's own.
    replaced: Option<Replaced>,
}

struct Replaced {
    value: SecretString,
    kind: Kind,
    by_process: bool,
}

/// Merges layers, given broad to specific: of one name, the last layer that has it wins, with an empty value too.
///
/// The result does not depend on the order of entries within a layer. One pass over all entries; no value is copied.
///
/// ```
/// # fn main() -> Result<(), ioenv::Error> {
/// use ioenv::{Document, Layer, merge};
///
/// let resolved = merge(vec![
///     Layer::new("acme-store".parse()?, Document::parse("PORT=80\nHOST=acme.example\n")?),
///     Layer::new("acme-store/dev".parse()?, Document::parse("PORT=8080\n")?),
/// ]);
/// let port = resolved.get("PORT").expect("both levels have it");
/// assert_eq!(port.value().expose_secret(), "8080");
/// assert_eq!(port.origin().to_string(), "acme-store/dev, over acme-store");
/// # Ok(())
/// # }
/// ```
pub fn merge(layers: Vec<Layer>) -> Resolved {
    let most = layers.iter().map(|layer| layer.document.len()).max().unwrap_or_default();
    let mut rows = Vec::with_capacity(most);
    let mut losers = Vec::new();
    // For each layer, the rank by name of its next entry. Chains are short, so the least name is found by looking.
    let mut next = vec![0; layers.len()];
    loop {
        let mut least: Option<&VarName> = None;
        for (layer, &rank) in layers.iter().zip(&next) {
            if let Some((_, entry)) = layer.document.nth_by_name(rank)
                && least.is_none_or(|least| entry.name < *least)
            {
                least = Some(&entry.name);
            }
        }
        let Some(name) = least else {
            break;
        };
        let losers_start = index(losers.len());
        let mut winner = None;
        for (number, layer) in layers.iter().enumerate().rev() {
            if let Some((entry, found)) = layer.document.nth_by_name(next[number])
                && found.name == *name
            {
                next[number] += 1;
                let place = Place { layer: index(number), entry };
                if winner.is_none() {
                    winner = Some(place);
                } else {
                    losers.push(place);
                }
            }
        }
        if let Some(winner) = winner {
            rows.push(Row { winner, losers_start, losers_end: index(losers.len()), replaced: None });
        }
    }
    Resolved { layers, rows, losers }
}

impl Resolved {
    /// The variable of that name.
    pub fn get(&self, name: &str) -> Option<Variable<'_>> {
        Some(self.variable(&self.rows[self.find(name)?]))
    }

    /// All variables, ascending by name.
    pub fn iter(&self) -> impl Iterator<Item = Variable<'_>> {
        self.rows.iter().map(|row| self.variable(row))
    }

    /// How many variables there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are no variables.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// One document with the values that count, ascending by name.
    pub fn to_document(&self) -> Document {
        let entries = self.iter().map(|variable| {
            let mut entry = Entry::new(variable.name().clone(), variable.value().clone(), variable.kind());
            // What was expanded, or is the process's own, is meant as it is.
            let literal = || Dollars::all_literal(variable.value().expose_secret());
            entry.set_dollars(variable.dollars().cloned().unwrap_or_else(literal));
            entry
        });
        Document::from_parts(entries.collect(), Zeroizing::default())
    }

    /// Keeps the variables whose name passes.
    pub(crate) fn retain(&mut self, mut keep: impl FnMut(&VarName) -> bool) {
        let layers = &self.layers;
        self.rows.retain(|row| keep(&entry_at(layers, row.winner).name));
    }

    /// Wipes what does not count any more: values that lost, were not kept or were replaced, and all comments.
    pub(crate) fn forget_the_rest(&mut self) {
        let mut counts: Vec<Vec<bool>> = self.layers.iter().map(|layer| vec![false; layer.document.len()]).collect();
        for row in self.rows.iter().filter(|row| row.replaced.is_none()) {
            counts[row.winner.layer as usize][row.winner.entry as usize] = true;
        }
        for (layer, counts) in self.layers.iter_mut().zip(counts) {
            layer.document.forget(&counts);
        }
    }

    /// Lets the process's own value count for the `number`th variable.
    pub(crate) fn replace_by_process(&mut self, number: usize, value: SecretString) {
        let kind = self.variable(&self.rows[number]).kind();
        self.rows[number].replaced = Some(Replaced { value, kind, by_process: true });
    }

    pub(super) fn find(&self, name: &str) -> Option<usize> {
        self.rows.binary_search_by(|row| self.entry(row.winner).name.as_str().cmp(name)).ok()
    }

    /// The numbers of all variables in the order in which their values are written, level by level.
    pub(super) fn in_written_order(&self) -> Vec<usize> {
        let mut numbers: Vec<usize> = (0..self.rows.len()).collect();
        numbers.sort_unstable_by_key(|&number| {
            let Place { layer, entry } = self.rows[number].winner;
            (layer, entry)
        });
        numbers
    }

    pub(super) fn nth(&self, number: usize) -> Variable<'_> {
        self.variable(&self.rows[number])
    }

    pub(super) fn replace_by_expansion(&mut self, number: usize, value: SecretString, kind: Kind) {
        self.rows[number].replaced = Some(Replaced { value, kind, by_process: false });
    }

    fn variable<'a>(&'a self, row: &'a Row) -> Variable<'a> {
        Variable { resolved: self, row }
    }

    fn entry(&self, place: Place) -> &Entry {
        entry_at(&self.layers, place)
    }

    fn losers(&self, row: &Row) -> &[Place] {
        &self.losers[row.losers_start as usize..row.losers_end as usize]
    }
}

fn entry_at(layers: &[Layer], place: Place) -> &Entry {
    &layers[place.layer as usize].document.entries()[place.entry as usize]
}

impl fmt::Debug for Resolved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// One variable of a [`Resolved`] chain or an [`Env`](crate::Env).
#[derive(Clone, Copy)]
pub struct Variable<'a> {
    resolved: &'a Resolved,
    row: &'a Row,
}

impl<'a> Variable<'a> {
    /// The name.
    pub fn name(&self) -> &'a VarName {
        &self.winner().name
    }

    /// The value that counts.
    pub fn value(&self) -> &'a SecretString {
        self.row.replaced.as_ref().map_or(&self.winner().value, |replaced| &replaced.value)
    }

    /// The kind of the entry that counts; an expanded value is a secret if any part of it is.
    pub fn kind(&self) -> Kind {
        self.row.replaced.as_ref().map_or(self.winner().kind, |replaced| replaced.kind)
    }

    /// Whether a person may see the value: it is a variable, and so is all it overrode.
    pub fn is_public(&self) -> bool {
        let overrode = self.resolved.losers(self.row).iter();
        self.kind() == Kind::Variable
            && overrode.copied().all(|place| self.resolved.entry(place).kind == Kind::Variable)
    }

    /// Returns whether each `$` of the value stands for itself, whether or not references are replaced.
    pub fn is_literal(&self) -> bool {
        self.row.replaced.is_some() || self.winner().is_literal()
    }

    /// Returns whether the other variable has the same value, in which each `$` has the same meaning.
    pub fn has_same_value(&self, other: &Self) -> bool {
        let dollars = |variable: &Self| {
            let literal = || Dollars::all_literal(variable.value().expose_secret());
            variable.dollars().cloned().unwrap_or_else(literal)
        };
        self.value().expose_secret() == other.value().expose_secret() && dollars(self) == dollars(other)
    }

    /// Which level decided, and which it overrode.
    pub fn origin(&self) -> Origin {
        let path = |place: Place| self.resolved.layers[place.layer as usize].path.clone();
        let mut overrode: Vec<LevelPath> = self.resolved.losers(self.row).iter().copied().map(path).collect();
        let winner = path(self.row.winner);
        let level = if self.is_process() {
            overrode.insert(0, winner);
            None
        } else {
            Some(winner)
        };
        Origin { level, overrode }
    }

    /// Whether the process's own variable won; as [`origin`](Self::origin) says, without making one.
    pub(crate) fn is_process(&self) -> bool {
        self.row.replaced.as_ref().is_some_and(|replaced| replaced.by_process)
    }

    /// Which `$` are literal; nothing to tell where the value is not the entry's own.
    pub(super) fn dollars(&self) -> Option<&'a Dollars> {
        self.row.replaced.is_none().then(|| self.winner().dollars())
    }

    fn winner(&self) -> &'a Entry {
        self.resolved.entry(self.row.winner)
    }
}

impl fmt::Debug for Variable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Variable")
            .field("name", self.name())
            .field("kind", &self.kind())
            .field("origin", &self.origin())
            .finish_non_exhaustive()
    }
}

/// Where a value comes from. Its text reads `acme-store/dev, over acme-store`.
///
/// ```
/// # fn main() -> Result<(), ioenv::Error> {
/// use ioenv::{Document, Layer, merge};
///
/// let resolved = merge(vec![Layer::new("acme-store".parse()?, Document::parse("PORT=80\n")?)]);
/// let origin = resolved.get("PORT").expect("the only level has it").origin();
/// assert_eq!(origin.level(), Some(&"acme-store".parse()?));
/// assert!(origin.overrode().is_empty() && !origin.is_process());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin {
    level: Option<LevelPath>,
    overrode: Vec<LevelPath>,
}

impl Origin {
    /// The level that decided; `None`, where the process's own variable won.
    pub fn level(&self) -> Option<&LevelPath> {
        self.level.as_ref()
    }

    /// Whether the process's own variable won.
    pub fn is_process(&self) -> bool {
        self.level.is_none()
    }

    /// The levels whose value did not count, most specific first.
    pub fn overrode(&self) -> &[LevelPath] {
        &self.overrode
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.level {
            Some(level) => write!(f, "{level}")?,
            None => f.write_str("the process")?,
        }
        for (number, path) in self.overrode.iter().enumerate() {
            f.write_str(if number == 0 { ", over " } else { ", " })?;
            write!(f, "{path}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layer(path: &str, text: &str) -> Layer {
        Layer::new(path.parse().unwrap(), Document::parse(text).unwrap())
    }

    #[test]
    fn the_most_specific_level_wins_even_when_empty() {
        let resolved = merge(vec![layer("a", "X=1\nY=1\n"), layer("a/b", "Z=2\nX=\n"), layer("a/b/c", "Z=3\n")]);
        let all: Vec<String> = resolved
            .iter()
            .map(|variable| format!("{}={} {}", variable.name(), variable.value().expose_secret(), variable.origin()))
            .collect();
        assert_eq!(all, ["X= a/b, over a", "Y=1 a", "Z=3 a/b/c, over a/b"]);
    }

    #[test]
    fn what_overrides_a_secret_is_not_shown() {
        let resolved = merge(vec![
            layer("a", "X=1\n# ioenv: variable\nY=1\n"),
            layer("a/b", "# ioenv: variable\nX=2\n# ioenv: variable\nY=2\n"),
        ]);
        let x = resolved.get("X").unwrap();
        assert_eq!((x.kind(), x.is_public()), (Kind::Variable, false));
        assert!(resolved.get("Y").unwrap().is_public());
    }

    #[test]
    fn the_process_stands_above_all_levels() {
        let mut resolved = merge(vec![layer("a", "X=1\n"), layer("a/b", "X=2\n")]);
        resolved.replace_by_process(0, "3".into());
        let x = resolved.get("X").unwrap();
        assert_eq!(x.value().expose_secret(), "3");
        assert_eq!(x.origin().to_string(), "the process, over a/b, a");
    }

    #[test]
    fn what_is_forgotten_is_gone_and_what_counts_stays() {
        let mut resolved = merge(vec![layer("a", "X=lost # c\nY=kept\nZ=left out\n"), layer("a/b", "X=won\n# d\n")]);
        resolved.retain(|name| name.as_str() != "Z");
        resolved.forget_the_rest();
        let all: Vec<&str> = resolved.iter().map(|variable| variable.value().expose_secret()).collect();
        assert_eq!(all, ["won", "kept"]);
        assert_eq!(resolved.get("X").unwrap().origin().to_string(), "a/b, over a");
        let left: Vec<String> =
            resolved.layers.iter().map(|layer| layer.document.to_text().expose_secret().to_owned()).collect();
        assert_eq!(left, ["X=\nY=kept\nZ=\n", "X=won\n"]);
    }
}
