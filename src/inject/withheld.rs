use crate::core::name::VarName;

/// What `ioenv run` tells the program that it starts. It is withheld, as all names of ours are.
pub(crate) const HANDOVER: &str = "IOENV_LOADED";

/// Names that change how programs are found, loaded and started, or whom they trust: somebody who can write one of them
/// could run code or read what is sent. A `*` at the end stands for all names that begin so.
///
/// The list is a best effort. It leaves out names that applications commonly use themselves, such as `ENV` and
/// `NODE_ENV`. `docs/configuration.md` has the same list for readers; a test compares them.
#[rustfmt::skip]
const GROUPS: &[(&str, &[&str])] = &[
    ("where programs and a user's files are", &[
        "PATH", "PATHEXT", "HOME", "USERPROFILE", "HOMEDRIVE", "HOMEPATH", "APPDATA", "LOCALAPPDATA",
        "PROGRAMDATA", "SHELL", "COMSPEC", "SYSTEMROOT", "SYSTEMDRIVE", "WINDIR", "PSModulePath", "XDG_*",
    ]),
    ("shells", &[
        "BASHOPTS", "BASH_*", "CDPATH", "EXECIGNORE", "FCEDIT", "FPATH", "GLOBIGNORE", "HISTFILE", "IFS",
        "INPUTRC", "PROMPT_COMMAND", "PS0", "PS1", "PS2", "PS3", "PS4", "SHELLOPTS", "ZDOTDIR",
    ]),
    ("the loader and the C library", &[
        "LD_*", "DYLD_*", "LDR_*", "GCONV_PATH", "GETCONF_DIR", "GLIBC_TUNABLES", "HOSTALIASES", "LIBPATH",
        "LOCALDOMAIN", "LOCPATH", "MALLOC_*", "NIS_PATH", "NLSPATH", "RESOLV_HOST_CONF", "RES_OPTIONS",
        "SHLIB_PATH", "TZDIR", "TERMCAP", "TERMINFO", "TERMINFO_DIRS",
    ]),
    ("what TLS trusts and tells", &[
        "OPENSSL_CONF", "OPENSSL_CONF_INCLUDE", "OPENSSL_ENGINES", "OPENSSL_MODULES", "SSLKEYLOGFILE",
        "SSL_CERT_DIR", "SSL_CERT_FILE", "AWS_CA_BUNDLE", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "CURL_HOME",
        "DENO_CERT", "DENO_TLS_CA_STORE", "NODE_EXTRA_CA_CERTS", "NODE_TLS_REJECT_UNAUTHORIZED",
        "PYTHONHTTPSVERIFY",
    ]),
    ("programs that other programs start", &[
        "BROWSER", "EDITOR", "VISUAL", "SUDO_EDITOR", "SUDO_ASKPASS", "SSH_ASKPASS", "SSH_ASKPASS_REQUIRE",
        "SSH_PKCS11_HELPER", "SSH_SK_HELPER", "SSH_SK_PROVIDER", "PAGER", "MANPAGER", "MANOPT",
        "SYSTEMD_EDITOR", "SYSTEMD_PAGER", "LESS", "LESSCLOSE", "LESSEDIT", "LESSHISTFILE", "LESSKEY",
        "LESSKEYIN", "LESSKEY_SYSTEM", "LESSOPEN", "PSQLRC", "PSQL_EDITOR", "PSQL_PAGER", "RSYNC_CONNECT_PROG",
        "RSYNC_RSH", "CVS_RSH", "CVSEDITOR", "SVN_EDITOR", "SVN_SSH", "HGEDITOR", "HGRCPATH", "TAR_OPTIONS",
        "XZ_OPT", "VIMINIT", "EXINIT", "NVIM_APPNAME",
    ]),
    ("git", &[
        "GIT_ALLOW_PROTOCOL", "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_ASKPASS", "GIT_ATTR_*", "GIT_COMMON_DIR",
        "GIT_CONFIG", "GIT_CONFIG_*", "GIT_DIR", "GIT_DISCOVERY_ACROSS_FILESYSTEM", "GIT_EDITOR",
        "GIT_EXEC_PATH", "GIT_EXTERNAL_DIFF", "GIT_INDEX_FILE", "GIT_MAN_VIEWER", "GIT_NAMESPACE",
        "GIT_OBJECT_DIRECTORY", "GIT_PAGER", "GIT_PROTOCOL_FROM_USER", "GIT_PROXY_COMMAND", "GIT_PROXY_SSL_*",
        "GIT_REDIRECT_*", "GIT_SEQUENCE_EDITOR", "GIT_SHELL_PATH", "GIT_SSH", "GIT_SSH_*", "GIT_SSL_*",
        "GIT_TEMPLATE_DIR", "GIT_TRACE", "GIT_TRACE_*", "GIT_TRACE2", "GIT_TRACE2_*", "GIT_WORK_TREE",
    ]),
    ("Python", &[
        "PYTHONBREAKPOINT", "PYTHONCASEOK", "PYTHONEXECUTABLE", "PYTHONHOME", "PYTHONINSPECT", "PYTHONPATH",
        "PYTHONPLATLIBDIR", "PYTHONPYCACHEPREFIX", "PYTHONSAFEPATH", "PYTHONSTARTUP", "PYTHONUSERBASE",
        "PYTHONWARNINGS", "PYTHON_HISTORY", "PYTEST_ADDOPTS", "PYTEST_PLUGINS", "PIP_*",
    ]),
    ("JavaScript", &[
        "NODE_OPTIONS", "NODE_PATH", "NODE_CHANNEL_FD", "NODE_ICU_DATA", "NODE_REDIRECT_WARNINGS",
        "NODE_REPL_EXTERNAL_MODULE", "NODE_REPL_HISTORY", "NODE_V8_COVERAGE", "ELECTRON_RUN_AS_NODE",
        "BUN_CONFIG_*", "BUN_INSTALL", "BUN_OPTIONS", "DENO_DIR", "npm_config_*", "NPM_CONFIG_*",
        "YARN_RC_FILENAME", "YARN_YARN_PATH",
    ]),
    ("Perl, Ruby, PHP, Lua, R and others", &[
        "PERL5*", "PERLIO", "PERLIO_DEBUG", "PERLLIB", "PERL_MB_OPT", "PERL_MM_OPT", "RUBYLIB",
        "RUBYLIB_PREFIX", "RUBYOPT", "RUBYPATH", "RUBYSHELL", "BUNDLE_APP_CONFIG", "BUNDLE_BIN_PATH",
        "BUNDLE_GEMFILE", "BUNDLE_PATH", "GEM_HOME", "GEM_PATH", "GEM_SPEC_CACHE", "PHPRC", "PHP_INI_SCAN_DIR",
        "COMPOSER_HOME", "LUA_CPATH", "LUA_CPATH_*", "LUA_INIT", "LUA_INIT_*", "LUA_PATH", "LUA_PATH_*",
        "R_ENVIRON", "R_ENVIRON_USER", "R_HOME", "R_LIBS", "R_LIBS_SITE", "R_LIBS_USER", "R_PROFILE",
        "R_PROFILE_USER", "JULIA_DEPOT_PATH", "JULIA_LOAD_PATH", "JULIA_PROJECT", "ERL_AFLAGS", "ERL_FLAGS",
        "ERL_LIBS", "ERL_ZFLAGS", "ELIXIR_ERL_OPTIONS", "GUILE_LOAD_COMPILED_PATH", "GUILE_LOAD_PATH",
        "TCLLIBPATH", "AWKLIBPATH", "AWKPATH", "OCAMLRUNPARAM", "CAMLRUNPARAM", "CAML_LD_LIBRARY_PATH",
        "GHC_ENVIRONMENT",
    ]),
    ("Java and .NET", &[
        "CLASSPATH", "JAVA_HOME", "JAVA_OPTS", "JAVA_TOOL_OPTIONS", "JDK_JAVAC_OPTIONS", "JDK_JAVA_OPTIONS",
        "_JAVA_OPTIONS", "CATALINA_OPTS", "GRADLE_OPTS", "GRADLE_USER_HOME", "MAVEN_ARGS", "MAVEN_OPTS",
        "SBT_OPTS", "COMPlus_*", "CORECLR_*", "COR_ENABLE_PROFILING", "COR_PROFILER", "COR_PROFILER_PATH",
        "COR_PROFILER_PATH_32", "COR_PROFILER_PATH_64", "DOTNET_ADDITIONAL_DEPS", "DOTNET_DiagnosticPorts",
        "DOTNET_ROOT", "DOTNET_SHARED_STORE", "DOTNET_STARTUP_HOOKS", "MONO_CONFIG", "MONO_ENV_OPTIONS",
        "MONO_PATH",
    ]),
    ("compilers and build tools", &[
        "RUSTC", "RUSTC_WORKSPACE_WRAPPER", "RUSTC_WRAPPER", "RUSTDOC", "RUSTDOCFLAGS", "RUSTFLAGS",
        "RUSTUP_HOME", "RUSTUP_TOOLCHAIN", "CARGO", "CARGO_ALIAS_*", "CARGO_BUILD_*",
        "CARGO_ENCODED_RUSTDOCFLAGS", "CARGO_ENCODED_RUSTFLAGS", "CARGO_HOME", "CARGO_HTTP_*", "CARGO_NET_*",
        "CARGO_SOURCE_*", "CARGO_TARGET_*", "CC", "CXX", "COMPILER_PATH", "CPATH", "CPLUS_INCLUDE_PATH",
        "C_INCLUDE_PATH", "GCC_EXEC_PREFIX", "LIBRARY_PATH", "PKG_CONFIG", "PKG_CONFIG_PATH",
        "CMAKE_TOOLCHAIN_FILE", "GNUMAKEFLAGS", "MAKEFILES", "MAKEFLAGS", "MFLAGS", "CGO_*", "GOBIN", "GODEBUG",
        "GOENV", "GOFLAGS", "GOINSECURE", "GONOSUMDB", "GOPATH", "GOPROXY", "GOROOT", "GOSUMDB", "GOTOOLCHAIN",
        "GOTOOLDIR",
    ]),
    ("plug-ins and diagnostics of libraries", &[
        "GI_TYPELIB_PATH", "GIO_EXTRA_MODULES", "GIO_MODULE_DIR", "GST_PLUGIN_PATH", "GST_PLUGIN_SYSTEM_PATH",
        "GTK_MODULES", "GTK_PATH", "LIBGL_DRIVERS_PATH", "LIBMYSQL_PLUGINS", "LIBMYSQL_PLUGIN_DIR",
        "QT_PLUGIN_PATH", "QT_QPA_PLATFORM_PLUGIN_PATH", "VK_ICD_FILENAMES", "VK_LAYER_PATH", "ASAN_OPTIONS",
        "ASAN_SYMBOLIZER_PATH", "LLVM_PROFILE_FILE", "LSAN_OPTIONS", "MSAN_OPTIONS", "MSAN_SYMBOLIZER_PATH",
        "TSAN_OPTIONS", "UBSAN_OPTIONS",
    ]),
    ("our own, which would change where the next start looks", &[
        "IOENV_*",
    ]),
];

/// Returns whether a loader withholds a variable unless [`Loader::only`](crate::Loader::only) lists it, because it changes
/// how programs are found, loaded and started, or whom they trust, or is ioenv's own.
///
/// ```
/// # fn main() -> Result<(), ioenv::Error> {
/// assert!(ioenv::is_withheld(&"LD_PRELOAD".parse()?));
/// assert!(!ioenv::is_withheld(&"DATABASE_URL".parse()?));
/// # Ok(())
/// # }
/// ```
pub fn is_withheld(name: &VarName) -> bool {
    GROUPS.iter().flat_map(|(_, names)| *names).any(|rule| matches(rule, name.as_str()))
}

/// Whether a rule, which is a name or the beginning of names, holds for a name.
fn matches(rule: &str, name: &str) -> bool {
    let is = |one: &str, other: &str| if cfg!(windows) { one.eq_ignore_ascii_case(other) } else { one == other };
    match rule.strip_suffix('*') {
        Some(start) => name.get(..start.len()).is_some_and(|begins| is(start, begins)),
        None => is(rule, name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is(name: &str) -> bool {
        is_withheld(&VarName::new(name).unwrap())
    }

    #[test]
    fn loaders_are_withheld_and_applications_are_not() {
        for name in
            ["PATH", "HOME", "IFS", "LD_PRELOAD", "LD_", "LD_.so", "DYLD_INSERT_LIBRARIES", "IOENV_KEY", "IOENV_.x"]
        {
            assert!(is(name), "{name}");
        }
        for name in [
            "GIT_CONFIG_COUNT",
            "GIT_CONFIG_KEY_0",
            "GIT_SSH_COMMAND",
            "GIT_EXTERNAL_DIFF",
            "LESSOPEN",
            "PERL5DB",
            "PYTHONWARNINGS",
            "RUSTC_WRAPPER",
            "SSLKEYLOGFILE",
            "NODE_TLS_REJECT_UNAUTHORIZED",
            "BASH_FUNC_ls",
            "LUA_INIT_5_4",
            "npm_config_registry",
            "CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER",
        ] {
            assert!(is(name), "{name}");
        }
        for name in [
            "DATABASE_URL",
            "PATHS",
            "MY_PATH",
            "LDAP_URL",
            "ENV",
            "http_proxy",
            "GIT_SHA",
            "GIT_COMMIT",
            "GITHUB_TOKEN",
            "NODE_ENV",
            "PYTHONUNBUFFERED",
            "RUST_LOG",
            "RUST_BACKTRACE",
            "LESSON",
            "CARGO_REGISTRY_TOKEN",
            "TZ",
            "LANG",
            "NPM_TOKEN",
            "EDITORS",
            "GOOGLE_API_KEY",
            "spring.datasource.url",
            "PATH.x",
        ] {
            assert!(!is(name), "{name}");
        }
    }

    #[test]
    fn no_name_stands_in_the_list_twice() {
        let rules: Vec<&str> = GROUPS.iter().flat_map(|(_, names)| *names).copied().collect();
        for (at, rule) in rules.iter().enumerate() {
            let others = rules.iter().enumerate().filter(|(other, _)| *other != at);
            assert!(others.into_iter().all(|(_, other)| !matches(other, rule)), "{rule} is in the list twice");
        }
    }

    #[test]
    fn the_page_about_the_configuration_lists_the_same_names() {
        let page = include_str!("../../docs/configuration.md").replace("\r\n", "\n");
        for (what, names) in GROUPS {
            let list: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
            let row = format!("| {what} | {} |\n", list.join(", "));
            assert!(page.contains(&row), "docs/configuration.md lacks this row:\n{row}");
        }
    }
}
