//! The one way to stop on a fault of blo itself.

/// Stops with a message that says the fault is blo's and asks for a report.
#[macro_export]
macro_rules! bug {
    ($($arg:tt)*) => {
        panic!("this is a bug in blo, please report it with the model that caused it: {}", format_args!($($arg)*))
    };
}
