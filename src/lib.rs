//! TrafficCop
