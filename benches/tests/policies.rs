//! The hit ratios in `docs/POLICIES.md`, computed anew.

use aws_client_cache_benches::candidate::{Lfu, Lfuda, Lru};
use aws_client_cache_benches::harness::{Candidate, Outcome, Workload, hits, single_threaded};
use aws_client_cache_benches::workload::Shape;

/// The seeds of the page, which are those that `compare` takes by default.
const SEEDS: u64 = 7;

const SHAPES: [Shape; 4] = [Shape::Zipf, Shape::Scan, Shape::Shift, Shape::Loop];

fn candidates() -> [Candidate<[u64]>; 3] {
    [Candidate::of::<Lru<u64>>("LRU"), Candidate::of::<Lfu<u64>>("LFU"), Candidate::of::<Lfuda<u64>>("LFUDA")]
}

/// Returns the outcomes of a size, with all shapes.
fn outcomes(max_size: usize, universe: u32) -> Vec<Outcome> {
    let of_shape = |shape| single_threaded(&candidates(), 1, Workload { shape, max_size, universe }, SEEDS);
    SHAPES.map(of_shape).into()
}

/// Returns the cells of a table's rows, without the head.
fn rows(table: &str) -> Vec<Vec<String>> {
    let cells = |row: &str| row.split('|').map(|cell| cell.trim().replace("**", "").to_lowercase()).collect();
    table.lines().skip(2).take_while(|row| row.starts_with('|')).map(cells).collect()
}

#[test]
fn the_table_of_the_page_shows_the_hits_of_each_policy() {
    let page = include_str!("../../docs/POLICIES.md").replace('\r', "");
    let start = page.find("| stream | LRU | LFU | LFUDA |\n").expect("the page has the table");
    let mut shown = rows(&page[start..]);
    let large = std::thread::spawn(|| outcomes(1_000, 2_000));
    let all = [outcomes(30, 60), large.join().unwrap()].concat();
    let mut computed = rows(&hits(&candidates(), &all));
    for row in &mut computed {
        row[1] = row[1].replace(", ", " ");
    }
    shown.sort();
    computed.sort();
    assert_eq!(shown.len(), 8);
    assert_eq!(shown, computed);
}

#[test]
fn the_best_policies_of_each_row_are_bold() {
    let page = include_str!("../../docs/POLICIES.md");
    let mut bold = 0;
    for row in page.lines().filter(|row| row.contains("0/60 | ") || row.contains("0/2000 | ")) {
        let cells: Vec<&str> = row.split('|').map(str::trim).filter(|cell| !cell.is_empty()).skip(1).collect();
        let ratio = |cell: &str| cell.replace("**", "").parse::<f64>().unwrap();
        let best = cells.iter().map(|cell| ratio(cell)).fold(0.0, f64::max);
        for cell in cells {
            assert_eq!(cell.starts_with("**"), ratio(cell) > 0.0 && ratio(cell) >= best, "{cell} in {row}");
            bold += usize::from(cell.starts_with("**"));
        }
    }
    assert_eq!(bold, 7);
}
