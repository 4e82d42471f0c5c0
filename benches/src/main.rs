//! An empty process: the cost of starting and of printing a line.

fn main() {
    println!("yardsticks 0.1.0");
}
