"""The side-by-side harness: what is compared (`races`), how a process is run and pinned (`process`), how a race is measured
(`measure`), and how the table is written (`table`)."""
