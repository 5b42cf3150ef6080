/// What an `ioenv.toml` says, as it says it: what nobody asks for is not judged.
#[derive(Clone, Debug, Default)]
pub(super) struct Settings {
    pub(super) expand: Option<bool>,
    pub(super) file: Option<String>,
    pub(super) key_file: Option<String>,
    pub(super) path: Option<String>,
    pub(super) precedence: Option<String>,
    pub(super) source: Option<String>,
    pub(super) vault: Option<String>,
}
