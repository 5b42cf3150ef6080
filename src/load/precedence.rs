/// Whose value counts when the process has a variable of the same name.
///
/// ```no_run
/// # fn main() -> Result<(), ioenv::Error> {
/// let env = ioenv::Loader::new().precedence(ioenv::Precedence::VaultWins).load()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Precedence {
    /// The process's own value counts, so that `PORT=9000 ./server` does what it says. Nothing is ever replaced.
    #[default]
    ProcessWins,
    /// The level's value counts, and replaces the process's. C code that kept a pointer from `getenv` loses what it
    /// pointed to.
    VaultWins,
}
