//! The example `policies`, run as a user runs it.

use std::fs;

use quick_xml::Reader;
use quick_xml::events::Event;

use crate::run_example::{example, refuses, text};

/// Returns the output of a run that must succeed.
fn output(arguments: &[&str]) -> String {
    let output = example("policies", arguments).output().unwrap();
    let (stdout, stderr) = text(&output);
    assert!(output.status.success() && stderr.is_empty(), "{stdout}\n{stderr}");
    stdout
}

/// Returns the number of colored lines of an SVG document, and its text. Every tag must be closed.
fn parse(svg: &str) -> (usize, String) {
    let (mut reader, mut depth, mut lines, mut text) = (Reader::from_str(svg), 0, 0, String::new());
    loop {
        match reader.read_event().unwrap() {
            Event::Start(_) => depth += 1,
            Event::End(_) => depth -= 1,
            Event::Empty(tag) if tag.name().as_ref() == b"polyline" => {
                let stroke = tag.try_get_attribute("stroke").unwrap().unwrap();
                lines += usize::from(&*stroke.value != b"#000000");
            }
            Event::Text(part) => text += &part.decode().unwrap(),
            Event::GeneralRef(entity) => text = text + "&" + &entity.decode().unwrap() + ";",
            Event::Eof => {
                assert_eq!(depth, 0, "{svg}");
                return (lines, text);
            }
            _ => (),
        }
    }
}

/// The output for the sample, which POLICIES.md describes.
const SAMPLE: &str = "\
the sample: 4000 keys, 100 distinct

  max_size      LRU      LFU    LFUDA
         1     4.5*     4.5*     4.5*
         2     9.1      7.7      9.4*
         4    18.0     23.2*    20.3 
         8    29.4     30.2     33.0*
        16    44.3     39.3     46.6*
        32    60.3     59.9     62.5*
        64    78.5     83.2*    80.8 

hit ratio in percent, * best of the row
";

#[test]
fn the_sample_is_replayed_under_every_policy() {
    assert_eq!(output(&[]), SAMPLE);
}

#[test]
fn the_page_on_policies_shows_the_picture_of_the_sample() {
    let folder = tempfile::tempdir().unwrap();
    let plot = folder.path().join("policies.svg");
    assert_eq!(output(&["--plot", plot.to_str().unwrap()]), SAMPLE);
    let page = include_str!("../../docs/policies.svg");
    assert!(fs::read_to_string(plot).unwrap().lines().eq(page.lines()), "draw docs/policies.svg again");
}

#[test]
fn a_file_and_sizes_can_be_given_and_are_plotted() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a & b.txt");
    fs::write(&file, "a\nb\n\na\r\n  \nc\nb").unwrap();
    let plot = folder.path().join("plot.svg");
    let stdout = output(&[file.to_str().unwrap(), "--sizes", "3,1,3,2", "--plot", plot.to_str().unwrap()]);
    let (name, table) = stdout.split_once("\n\n").unwrap();
    assert!(name.ends_with("a & b.txt: 5 keys, 3 distinct"), "{name}");
    let rows = [
        "  max_size      LRU      LFU    LFUDA",
        "         1     0.0*     0.0*     0.0*",
        "         2    20.0*    20.0*    20.0*",
        "         3    40.0*    40.0*    40.0*",
        "",
        "hit ratio in percent, * best of the row",
    ];
    assert!(table.lines().eq(rows), "{table}");
    let (lines, text) = parse(&fs::read_to_string(plot).unwrap());
    // Each policy has a series and a sample in the legend.
    assert_eq!(lines, 6);
    for shown in ["LRU", "LFU", "LFUDA", "max_size", "a &amp; b.txt"] {
        assert!(text.contains(shown), "{shown} in {text}");
    }
}

#[test]
fn a_file_without_keys_and_a_wrong_argument_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let empty = folder.path().join("empty.txt");
    fs::write(&empty, "\n \n").unwrap();
    let empty = empty.to_str().unwrap();
    let missing = ["missing.txt", "missing/plot.svg"].map(|name| folder.path().join(name));
    let [file, plot] = missing.each_ref().map(|path| path.to_str().unwrap());
    let failures = [(vec![empty], "empty.txt"), (vec![file], "missing.txt"), (vec!["--plot", plot], "--plot")];
    for (arguments, named) in failures {
        let output = example("policies", &arguments).output().unwrap();
        let (stdout, stderr) = text(&output);
        assert_eq!(output.status.code(), Some(1), "{stdout}\n{stderr}");
        assert!(stderr.starts_with("error: ") && stderr.contains(named), "{stderr}");
    }
    refuses(&mut example("policies", &["--sizes", "0"]), "--sizes");
}
