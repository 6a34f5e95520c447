//! Benchmarks of both services against ceilings and peers, as ratios in one run.
