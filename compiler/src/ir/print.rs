//! The text of a graph (`--emit graph`).
