use crate::core::name::VarName;

/// Names that change how programs are found, loaded and started. Who can write a variable could run code with them,
/// so they are withheld unless a program asks for them by name. `docs/configuration.md` lists them for readers.
#[rustfmt::skip]
const NAMES: [&str; 40] = [
    // What is found, and where a user's own files are.
    "PATH", "PATHEXT", "HOME", "SHELL", "COMSPEC", "SYSTEMROOT", "WINDIR",
    // Shells.
    "BASHOPTS", "BASH_ENV", "CDPATH", "IFS", "PROMPT_COMMAND", "PS0", "PS1", "PS2", "PS3", "PS4", "SHELLOPTS", "ZDOTDIR",
    // The loader, the C library and OpenSSL.
    "GCONV_PATH", "GLIBC_TUNABLES", "LIBPATH", "LOCPATH", "NLSPATH", "OPENSSL_CONF", "OPENSSL_MODULES", "SHLIB_PATH",
    // Code that interpreters run before a program, or find in place of its own.
    "DOTNET_STARTUP_HOOKS", "JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS", "NODE_OPTIONS", "NODE_PATH",
    "PERL5LIB", "PERL5OPT", "PYTHONHOME", "PYTHONPATH", "PYTHONSTARTUP", "RUBYLIB", "RUBYOPT",
];

/// Beginnings of such names, and of our own, which would change where the next start looks.
const PREFIXES: [&str; 4] = ["LD_", "DYLD_", "BASH_FUNC_", "IOENV_"];

/// Whether a loader withholds a variable unless [`Loader::only`](crate::Loader::only) lists it, because it changes how
/// programs are found, loaded and started, or is ioenv's own.
///
/// ```
/// # fn main() -> Result<(), ioenv::Error> {
/// assert!(ioenv::is_withheld(&"LD_PRELOAD".parse()?));
/// assert!(!ioenv::is_withheld(&"DATABASE_URL".parse()?));
/// # Ok(())
/// # }
/// ```
pub fn is_withheld(name: &VarName) -> bool {
    let name = name.as_str();
    let is = |other: &&str| if cfg!(windows) { other.eq_ignore_ascii_case(name) } else { *other == name };
    let begins = |prefix: &&str| match name.get(..prefix.len()) {
        Some(start) if cfg!(windows) => start.eq_ignore_ascii_case(prefix),
        Some(start) => start == *prefix,
        None => false,
    };
    NAMES.iter().any(is) || PREFIXES.iter().any(begins)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loaders_are_withheld_and_applications_are_not() {
        let is = |name: &str| is_withheld(&VarName::new(name).unwrap());
        for name in ["PATH", "HOME", "IFS", "LD_PRELOAD", "LD_", "DYLD_INSERT_LIBRARIES", "IOENV_KEY"] {
            assert!(is(name), "{name}");
        }
        for name in ["DATABASE_URL", "PATHS", "MY_PATH", "LDAP_URL", "ENV", "http_proxy"] {
            assert!(!is(name), "{name}");
        }
    }
}
