//! What an editor may ask, one file each; the list is [`super::Server::answer`].

pub mod actions;
pub mod completion;
pub mod definition;
pub mod formatting;
pub mod hover;
pub mod inlay;
pub mod rename;
pub mod symbols;
