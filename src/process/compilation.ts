// Tells V8 how to compile. This module has to be imported before any other.
import { setFlagsFromString } from 'node:v8'

// After a restart all clients come back at once, to a process that has compiled nothing yet. V8 11 (Node 20) then spends a third of the CPU
// on optimizing code. So each function is compiled to simple machine code when it first runs, and is optimized after about four times as
// much work as by default. Newer versions of V8 do something like that by themselves.
if (process.versions.v8.startsWith('11.')) {
  setFlagsFromString('--always-sparkplug')
  setFlagsFromString('--interrupt-budget=600000')
}
