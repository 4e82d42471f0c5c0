//! An empty process: what starting and printing a line costs.

fn main() {
    println!("yardsticks 0.1.0");
}
