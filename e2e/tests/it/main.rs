//! Black-box tests over the whole stack.
