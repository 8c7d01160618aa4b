//! Checks that the engine passes every level, and that `PEERS.md` is up to date.

use std::process::Command;

use aws_client_cache_benches::peers::{LEVELS, Peer, Verdict};

#[test]
fn the_engine_passes_every_level() {
    let engine = Peer::ALL.iter().filter(|peer| peer.package == "aws-client-cache");
    let mut engines = 0;
    for peer in engine {
        for level in LEVELS {
            let verdict = peer.check(level);
            assert_eq!(verdict, Verdict::Passes, "{level} under {:?}, {:?}", peer.policy, peer.insertion);
        }
        assert_eq!(peer.differences, []);
        assert!((peer.missing)(peer.policy).is_empty());
        engines += 1;
    }
    assert_eq!(engines, 6, "three policies, each with `insert` and with `replace`");
}

#[test]
fn the_report_is_up_to_date() {
    let program = Command::new(env!("CARGO_BIN_EXE_peers")).arg("--check").output().unwrap();
    assert!(program.status.success(), "{}", String::from_utf8_lossy(&program.stderr));
}
