//! The memory and CPU time of this process, where the system reports them.

/// Returns the peak resident memory, in bytes.
#[cfg(target_os = "linux")]
pub(crate) fn peak_memory() -> Option<u64> {
    let status = procfs::process::Process::myself().ok()?.status().ok()?;
    Some(status.vmhwm? * 1024)
}

/// Returns the CPU time of all threads, in user and kernel mode, in seconds.
#[cfg(target_os = "linux")]
pub(crate) fn cpu_seconds() -> Option<f64> {
    let stat = procfs::process::Process::myself().ok()?.stat().ok()?;
    let ticks = u32::try_from(stat.utime + stat.stime).ok()?;
    Some(f64::from(ticks) / f64::from(u32::try_from(procfs::ticks_per_second()).ok()?))
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn peak_memory() -> Option<u64> {
    None
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn cpu_seconds() -> Option<f64> {
    None
}
