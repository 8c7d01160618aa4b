//! The engine has every level that peers are held against, and `PEERS.md` is up to date.

use std::process::Command;

use aws_client_cache_benches::peers::{LEVELS, Peer, Verdict};

#[test]
fn the_engine_has_every_level() {
    let engine = Peer::ALL.iter().filter(|peer| peer.package == "aws-client-cache");
    let mut policies = 0;
    for peer in engine {
        for level in LEVELS {
            let verdict = peer.hold(level);
            assert_eq!(verdict, Verdict::Passes, "{level} under {:?}", peer.policy);
        }
        assert_eq!(peer.differences, []);
        assert!((peer.missing)(peer.policy).is_empty());
        policies += 1;
    }
    assert_eq!(policies, 2);
}

#[test]
fn the_report_is_what_the_program_makes() {
    let program = Command::new(env!("CARGO_BIN_EXE_peers")).arg("--check").output().unwrap();
    assert!(program.status.success(), "{}", String::from_utf8_lossy(&program.stderr));
}
