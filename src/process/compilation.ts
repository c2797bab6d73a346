// Tells V8 how to compile. This module has to be imported before any other.
import { setFlagsFromString } from 'node:v8'

// After a restart all clients come back at once, to a process that has compiled nothing yet. V8 11 (Node 20) then spends a third of the CPU
// on optimizing code. So each function is compiled to simple machine code when it first runs, and is optimized after twice as much work as
// by default: with four times as much, messages cost a fifth more for the first minute. The embedded database is WebAssembly, whose
// functions are optimized after eleven times as much work: by default, a third of the CPU of its start optimizes functions that are hardly
// called again. Newer versions of V8 need none of this.
if (process.versions.v8.startsWith('11.')) {
  setFlagsFromString('--always-sparkplug')
  setFlagsFromString('--interrupt-budget=300000')
  setFlagsFromString('--wasm-tiering-budget=20000000')
}
