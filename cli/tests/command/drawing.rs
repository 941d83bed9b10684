//! `blo explain MODEL --graph`: a model as a drawing.

use std::fs;
use std::path::Path;

use crate::common::{Folder, blo, refused, stderr, stdout};

const EXAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples");

fn dot(name: &str) -> String {
    let output = blo(Path::new(EXAMPLES), &["explain", name, "--graph"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    stdout(&output)
}

/// The number of the node with this title in this part of the text.
fn node(part: &str, title: &str) -> String {
    let mark = format!(" [label = \"{title}");
    let line = part.lines().find(|line| line.contains(&mark)).unwrap_or_else(|| panic!("{title}: {part}"));
    line.trim().split(' ').next().unwrap().to_owned()
}

#[test]
fn what_is_read_has_an_arrow_to_who_reads_it() {
    let text = dot("toll_network.blo");
    let (outside, levels) = text.split_once("subgraph cluster_0").unwrap();
    let (upper, lower) = levels.split_once("subgraph cluster_1").unwrap();
    let arrow = |from: &str, to: &str| text.contains(&format!("{from} -> {to}\n"));
    let (toll, flow) = (node(upper, "toll"), node(lower, "flow"));
    let (income, price, balance) = (node(upper, "maximize"), node(lower, "minimize"), node(lower, "balance"));
    for (from, to) in
        [(&toll, &income), (&flow, &income), (&toll, &price), (&flow, &price), (&flow, &balance)]
    {
        assert!(arrow(from, to), "{from} -> {to}\n{text}");
    }
    assert!(!arrow(&toll, &balance), "{text}");
    // A domain reads data, and a function is part of who calls it.
    assert!(arrow(&node(outside, "owned"), &toll) && arrow(&node(outside, "tail"), &balance), "{text}");
    assert!(arrow(&node(outside, "cost"), &node(outside, "way")), "{text}");
    assert!(outside.contains("supply\\nreal[node]\\n5"), "{text}");
}

/// Equal names in two levels are two nodes, and sizes of data that are not there are not shown.
#[test]
fn names_belong_to_their_level() {
    let folder = Folder::new();
    let model = "data a: real[n]\nupper {\n var x: real[n] = 0\n let c = x + a\n minimize sumsq(c) + sumsq(y)\n}\n\
                 lower {\n var y: real[n] = 0\n let c = y - x\n minimize sumsq(c)\n}\n";
    fs::write(folder.path("m.blo"), model).unwrap();
    let output = blo(&folder.path(""), &["explain", "m.blo", "--graph"]);
    let text = stdout(&output);
    let (upper, lower) = text.split_once("cluster_1").unwrap();
    let (first, second) = (node(upper, "c"), node(lower, "c"));
    assert!(text.contains(&format!("{first} -> {}\n", node(upper, "minimize"))), "{text}");
    assert!(text.contains(&format!("{second} -> {}\n", node(lower, "minimize"))), "{text}");
    assert!(!text.contains(&format!("{first} -> {}\n", node(lower, "minimize"))), "{text}");
    assert!(upper.contains("[label = \"a\\nreal[n]\","), "{text}");
}

/// No two nodes of a picture overlap, and all of them are inside it.
#[test]
fn nodes_of_pictures_stand_apart() {
    let folder = Folder::new();
    for name in ["digits_cleaning", "toll_network", "hypernetwork", "svm", "retailers", "mlp_cleaning"] {
        let model = format!("{EXAMPLES}/{name}.blo");
        let output = blo(&folder.path(""), &["explain", &model, "--graph", "m.svg"]);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        let text = fs::read_to_string(folder.path("m.svg")).unwrap();
        let numbers = |line: &str, names: [&str; 4]| {
            names.map(|name| {
                let (_, rest) = line.split_once(&format!(" {name}=\"")).unwrap();
                rest.split('"').next().unwrap().parse::<f64>().unwrap()
            })
        };
        let head = text.lines().next().unwrap();
        let [width, height, ..] = numbers(head, ["width", "height", "width", "height"]);
        let boxes: Vec<[f64; 4]> = text
            .lines()
            .filter(|line| line.starts_with("<rect class=\"node"))
            .map(|line| numbers(line, ["x", "y", "width", "height"]))
            .collect();
        assert!(boxes.len() >= 4, "{name}: {text}");
        for (k, [x, y, w, h]) in boxes.iter().enumerate() {
            assert!(*x >= 0.0 && *y >= 0.0 && x + w <= width && y + h <= height, "{name}: {text}");
            for [x2, y2, w2, h2] in &boxes[..k] {
                let apart = x + w <= *x2 || x2 + w2 <= *x || y + h <= *y2 || y2 + h2 <= *y;
                assert!(apart, "{name}: {x} {y} and {x2} {y2}");
            }
        }
    }
}

#[test]
fn other_formats_are_refused() {
    let folder = Folder::new();
    fs::write(folder.path("m.blo"), "upper {\n var x: real = 0\n minimize x^2\n}\n").unwrap();
    refused(&folder, &["explain", "m.blo", "--graph", "m.pdf"], &["m.pdf", "`.svg` or `.dot`"]);
    refused(&folder, &["explain", "m.blo", "--graph", "none/m.svg"], &["none/m.svg"]);
}
