"""The native executor: Steps as machine code, by LLVM. Start with `executor`."""
